import Base

/// Plain HTTP/1.1 to one address, one request after the other on a connection that is kept.
///
/// For our own programs on this machine: no TLS, no redirects, no proxies. Not `Sendable`.
final class HTTPConnection {
    private let address: WebAddress
    private let timeout: Duration
    private var socket: TCPSocket?
    private var received: [UInt8] = []

    /// - Parameters:
    ///   - address: not encrypted.
    ///   - timeout: for each request, connecting and the last byte of the answer included.
    init(_ address: WebAddress, timeout: Duration) {
        precondition(!address.isEncrypted, "this client speaks no TLS")
        self.address = address
        self.timeout = timeout
    }

    /// One `GET`, on a connection of its own.
    static func get(
        _ address: WebAddress,
        timeout: Duration
    ) throws(NetworkFailure) -> HTTPAnswer {
        try HTTPConnection(address, timeout: timeout).send("GET", fields: [], body: [])
    }

    /// Sends a request to the address's target and waits for the whole answer.
    ///
    /// A connection that the server has closed since the last request is opened again once.
    func send(
        _ method: String,
        fields: [(name: String, value: String)],
        body: [UInt8]
    ) throws(NetworkFailure) -> HTTPAnswer {
        let deadline = MonotonicClock.now() + timeout
        let isUsed = socket != nil
        do throws(NetworkFailure) {
            return try exchange(method, fields, body, deadline: deadline)
        } catch {
            close()
            // Nothing of an answer came: the server gave up an idle connection, as it may.
            guard isUsed, error == .closed else { throw error }
            return try exchange(method, fields, body, deadline: deadline)
        }
    }

    private func exchange(
        _ method: String,
        _ fields: [(name: String, value: String)],
        _ body: [UInt8],
        deadline: Duration
    ) throws(NetworkFailure) -> HTTPAnswer {
        if socket == nil {
            socket = try TCPSocket(host: address.host, port: address.port, deadline: deadline)
        }
        try socket?.send(head(method, fields, body) + body, deadline: deadline)
        while true {
            guard let bytes = try socket?.receive(deadline: deadline) else { throw .closed }
            received += bytes
            if received.isEmpty { throw .closed }
            let reading = HTTPAnswer.read(
                received, isAtEnd: bytes.isEmpty, isBodiless: method == "HEAD")
            switch reading {
            case .needsMore: continue
            case .malformed: throw .malformed
            case .complete(let answer, let byteCount):
                received.removeFirst(byteCount)
                if !answer.keepsConnection { close() }
                return answer
            }
        }
    }

    private func head(
        _ method: String,
        _ fields: [(name: String, value: String)],
        _ body: [UInt8]
    ) -> [UInt8] {
        var head = "\(method) \(address.target) HTTP/1.1\r\nHost: \(address.authority)\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8)
    }

    private func close() {
        socket = nil
        received = []
    }
}
