import Base
import CLinux
import Foundation
import Glibc
import Synchronization

/// A small HTTP server on a port of the kernel's choice, which answers as a test says.
///
/// A thread per connection, HTTP/1.1 with Content-Length and keep-alive; no more.
final class TestReceiver: Sendable {
    /// A request as it came over the wire.
    struct Request: Sendable {
        let head: String
        let headers: [String: String]
        let body: [UInt8]
        /// Counts connections from 1.
        let connection: Int

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What the server does with a request.
    enum Reply: Sendable {
        case status(Int, headers: [String: String] = [:], body: String = "ok")
        /// These bytes, then the connection ends.
        case raw(String)
        /// The connection ends without an answer.
        case hangUp
        /// Nothing, until the server stops or is told to let go.
        case silence
    }

    private struct State {
        var requests: [Request] = []
        var connectionCount = 0
        var listener: Int32 = -1
        var open: Set<Int32> = []
        var isOver = false
    }

    let port: UInt16
    private let state = Mutex(State())
    private let reply: @Sendable (Request) -> Reply

    /// Listens on 127.0.0.1 and answers with what `reply` says, on the connection's thread.
    init(reply: @escaping @Sendable (Request) -> Reply) throws {
        self.reply = reply
        let (listener, port) = try Self.listen(port: 0)
        self.port = port
        accept(on: listener)
    }

    var url: String { "http://127.0.0.1:\(port)/hook" }
    var requests: [Request] { state.withLock { $0.requests } }
    var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// Stops listening and cuts every connection: the next one is refused.
    func goDown() {
        let descriptors = state.withLock { state -> [Int32] in
            defer { state.listener = -1 }
            return [state.listener] + state.open
        }
        for descriptor in descriptors where descriptor >= 0 {
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    /// Listens again on the same port.
    func comeBack() throws {
        let (listener, _) = try Self.listen(port: port)
        accept(on: listener)
    }

    deinit { goDown() }

    private static func listen(port: UInt16) throws -> (Int32, UInt16) {
        let listener = try systemCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { Glibc.listen(listener, 128) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
            }
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    private func accept(on listener: Int32) {
        state.withLock { $0.listener = listener }
        let thread = Thread { [weak self] in
            while true {
                let connection = Glibc.accept(listener, nil, nil)
                guard connection >= 0, let self else { break }
                let number = self.state.withLock { state -> Int in
                    state.connectionCount += 1
                    state.open.insert(connection)
                    return state.connectionCount
                }
                Thread { [weak self] in self?.serve(connection, number: number) }.start()
            }
            close(listener)
        }
        thread.start()
    }

    private func serve(_ connection: Int32, number: Int) {
        defer {
            state.withLock { _ = $0.open.remove(connection) }
            close(connection)
        }
        var waiting: [UInt8] = []
        while let request = Self.read(from: connection, waiting: &waiting, number: number) {
            state.withLock { $0.requests.append(request) }
            switch reply(request) {
            case .status(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) Test\r\nContent-Length: \(body.utf8.count)\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                send(head + "\r\n" + body, to: connection)
            case .raw(let text):
                send(text, to: connection)
                return
            case .hangUp:
                return
            case .silence:
                var byte: UInt8 = 0
                _ = recv(connection, &byte, 1, 0)
                return
            }
        }
    }

    private func send(_ text: String, to connection: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func read(
        from connection: Int32, waiting: inout [UInt8], number: Int
    ) -> Request? {
        let end = Array("\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let range = waiting.firstRange(of: end) {
                let head = String(decoding: waiting[..<range.lowerBound], as: UTF8.self)
                let headers = fields(of: head)
                let length = Int(headers["content-length"] ?? "") ?? 0
                if waiting.count >= range.upperBound + length {
                    let body = Array(waiting[range.upperBound..<range.upperBound + length])
                    waiting.removeFirst(range.upperBound + length)
                    return Request(head: head, headers: headers, body: body, connection: number)
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            waiting += buffer[..<count]
        }
    }

    private static func fields(of head: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        return fields
    }
}
