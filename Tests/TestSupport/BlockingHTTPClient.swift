import Base
import Glibc
import Synchronization

/// One keep-alive connection to 127.0.0.1, for tests: plain blocking sockets, bytes as they are.
///
/// It knows what our own servers send (a status line, fields, Content-Length), and no more.
public final class BlockingHTTPClient {
    /// A status code with what followed it.
    public struct Answer: Sendable {
        /// 100 to 599.
        public let status: Int
        /// Names in lower case.
        public let fields: [String: String]
        /// As long as Content-Length said.
        public let body: [UInt8]
    }

    /// Why there is no answer.
    public struct Failure: Error, CustomStringConvertible {
        /// What could not be done.
        public let description: String
    }

    private let socket: Descriptor
    private var received: [UInt8] = []

    /// Connects; every later read and write may take `timeout`.
    ///
    /// - Throws: ``Failure`` where nothing listens.
    public init(port: UInt16, timeout: Duration = .seconds(20)) throws {
        let made = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        guard made >= 0 else { throw Failure(description: "no socket") }
        socket = Descriptor(adopting: made)
        var time = timeval(tv_sec: Int(timeout.milliseconds / 1_000), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(made, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        var one: Int32 = 1
        setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(port: port, { connect(made, $0, $1) }) == 0 else {
            throw Failure(description: "nothing listens on port \(port)")
        }
    }

    /// Sends one request and waits for its answer; the connection may be used again.
    ///
    /// `fields` are sent as they are, after Host and Content-Length.
    ///
    /// - Returns: the answer, whatever its status.
    /// - Throws: ``Failure`` where the connection ends or stays silent before the answer is whole.
    public func send(
        _ method: String,
        _ target: String,
        fields: [(String, String)] = [],
        body: [UInt8] = []
    ) throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        try write(Array((head + "\r\n").utf8) + body)
        return try readAnswer()
    }

    /// Writes bytes as they are.
    public func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket.rawValue, $0.baseAddress?.advanced(by: offset), $0.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "the connection took no more bytes") }
            offset += count
        }
    }

    /// Reads one answer; 100 Continue is passed over.
    public func readAnswer() throws -> Answer {
        let head = try takeHead()
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else {
            throw Failure(description: "not an answer: \(head)")
        }
        if status == 100 { return try readAnswer() }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let body = try take(fields["content-length"].flatMap { Int($0) } ?? 0)
        return Answer(status: status, fields: fields, body: body)
    }

    private func takeHead() throws -> String {
        let end: [UInt8] = [13, 10, 13, 10]
        while true {
            if let index = received.indices.first(where: { received[$0...].starts(with: end) }) {
                return String(decoding: try take(index + end.count).dropLast(2), as: UTF8.self)
            }
            try fill()
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while received.count < count { try fill() }
        defer { received.removeFirst(count) }
        return Array(received.prefix(count))
    }

    private func fill() throws {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket.rawValue, &buffer, buffer.count, 0)
        guard count > 0 else {
            throw Failure(description: "the connection ended before the answer")
        }
        received += buffer.prefix(count)
    }
}

private let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)

private func withLoopback(
    port: UInt16,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A port that the kernel chose and nothing listens on now.
///
/// For programs that must come back under the same port after a restart; where a program can listen
/// on port 0 and say what it got, that is better.
public func freePort() -> UInt16 {
    // The kernel may choose one again that nobody listens on yet, for another program of the test.
    while true {
        let port = portOfTheKernel()
        if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
    }
}

private let givenPorts = Mutex<Set<UInt16>>([])

private func portOfTheKernel() -> UInt16 {
    let probe = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    defer { close(probe) }

    precondition(withLoopback(port: 0, { bind(probe, $0, $1) }) == 0, "no port to be had")
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(probe, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
}

/// Whether something listens on `port` of 127.0.0.1.
public func isListening(on port: UInt16) -> Bool {
    (try? BlockingHTTPClient(port: port)) != nil
}
