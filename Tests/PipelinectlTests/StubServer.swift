import Base
import Foundation
import Glibc
import Synchronization

/// A server on 127.0.0.1 that answers every request as a test wants, one connection after another.
final class StubServer: Sendable {
    let port: UInt16
    private let stopping: WakeUp
    private let ended = DispatchSemaphore(value: 0)
    private let seen = Mutex<[String]>([])
    private let answer: @Sendable (String) -> String

    /// Listens; `answer` goes from a whole request to the bytes of an answer.
    ///
    /// One that holds `Connection: close` ends the connection.
    init(_ answer: @escaping @Sendable (String) -> String) throws {
        self.answer = answer
        stopping = try WakeUp()
        let listener = try ListenAddress(host: "127.0.0.1", port: 0).listen(backlog: 16)
        port = ListenAddress.localPort(of: listener.rawValue)
        let raw = dup(listener.rawValue)
        let thread = Thread { [self] in
            serve(raw)
            close(raw)
            ended.signal()
        }
        thread.start()
    }

    /// Everything that was asked so far.
    var requests: [String] { seen.withLock { $0 } }

    func stop() {
        stopping.signal()
        ended.wait()
    }

    /// An answer with a body and its length.
    static func answer(_ status: Int, _ body: String, fields: String = "") -> String {
        "HTTP/1.1 \(status) Reason\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func serve(_ listener: Int32) {
        while isReadable(listener) {
            let connection = accept(listener, nil, nil)
            if connection >= 0 {
                converse(connection)
                close(connection)
            }
        }
    }

    /// - Returns: false once the server is to stop.
    private func isReadable(_ descriptor: Int32) -> Bool {
        var wanted = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopping.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&wanted, 2, -1) < 0 {}
        return wanted[1].revents == 0
    }

    private func converse(_ connection: Int32) {
        var received: [UInt8] = []
        while true {
            if let count = Self.requestLength(received) {
                let request = String(decoding: received.prefix(count), as: UTF8.self)
                received.removeFirst(count)
                seen.withLock { $0.append(request) }
                let bytes = Array(answer(request).utf8)
                send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                if String(decoding: bytes, as: UTF8.self).contains("Connection: close") { return }
                continue
            }
            guard isReadable(connection) else { return }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            received += buffer.prefix(count)
        }
    }

    private static func requestLength(_ bytes: [UInt8]) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let head = text[..<end.upperBound]
        var length = 0
        if let field = head.range(of: "Content-Length: ") {
            length = Int(head[field.upperBound...].prefix { $0.isNumber }) ?? 0
        }
        let total = head.utf8.count + length
        return bytes.count >= total ? total : nil
    }
}
