import Base
import CLinux
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Workers

/// What plain HTTP does that a library's client would not.
@Suite struct PlainClientTests {
    private typealias Exchange = HTTPClientTests.Exchange

    private func request(_ url: String, body: String = "{}") -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url,
            headers: [.init(name: "Content-Length", value: "\(body.utf8.count)")],
            body: Array(body.utf8))
    }

    private func status(_ result: HTTPCompletion.Result?) -> Int? {
        guard case .answered(let answer) = result else { return nil }
        return answer.status
    }

    @Test func `a connection that the server gave up while idle costs nothing`() throws {
        let receiver = try TestReceiver { _ in
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let exchange = try Exchange()
        for _ in 0..<20 { #expect(status(exchange.result(request(receiver.url))) == 200) }
        #expect(receiver.requests.count == 20)
        #expect(receiver.connectionCount == 20)
    }

    @Test func `a request that may have been read is not sent a second time`() throws {
        let receiver = try TestReceiver { request in
            request.text == "{}" ? .status(200) : .hangUp
        }
        let exchange = try Exchange()
        #expect(status(exchange.result(request(receiver.url))) == 200)
        #expect(exchange.result(request(receiver.url, body: "x")) == .failed(.connectionLost))
        #expect(receiver.connectionCount == 1)
        #expect(receiver.requests.count == 2)
    }

    /// A connection to a listener of its own, and the listener's end of it.
    private func pair() throws -> (client: PlainConnection, server: Int32) {
        let listener = try systemCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { close(listener) }

        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { listen(listener, 1) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
            }
        }
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        let made = try PlainConnection.begin(
            ServerAddress(family: AF_INET, bytes: bytes)
        ).get()
        let server = try systemCall("accept") { accept(listener, nil, nil) }
        let client = PlainConnection(
            number: 1, socket: Descriptor(adopting: made), authority: "test")
        waitUntil { client.connectCode == 0 && client.isQuiet }
        return (client, server)
    }

    private func exchange() throws -> PlainExchange {
        let address = try #require(WebAddress("http://127.0.0.1/"))
        return PlainExchange(
            request("http://127.0.0.1/"), address: address, ticket: 1, limits: HTTPLimits())
    }

    @Test func `whether a byte can have been read is told by what TCP acknowledged`() throws {
        // The server reads one request; the second meets a closed socket.
        let (client, server) = try pair()
        let first = try exchange()
        client.take(first)
        #expect(client.write(first.bytes, from: &first.writtenCount) == .done)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        waitUntil { recv(server, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 }
        #expect(!client.nothingArrived)
        close(server)
        let second = try exchange()
        client.take(second)
        #expect(client.write(second.bytes, from: &second.writtenCount) == .done)
        waitUntil {
            if case .failed = client.read(into: &buffer).progress { return true }
            return client.connectCode != 0
        }
        #expect(client.nothingArrived)

        // The server's system has taken the bytes, whether or not the server reads them.
        let (other, unreading) = try pair()
        let third = try exchange()
        other.take(third)
        #expect(other.write(third.bytes, from: &third.writtenCount) == .done)
        waitUntil { recv(unreading, &buffer, 1, Int32(MSG_PEEK)) == 1 }
        #expect(waitUntil { !other.nothingArrived })
        close(unreading)
        #expect(!other.nothingArrived)
    }

    @Test func `an answer that comes before the request was read counts`() throws {
        let receiver = try EarlyAnswerer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        let exchange = try Exchange()
        // More than the kernel takes for a server that does not read.
        let body = String(repeating: "x", count: 40_000_000)
        let url = "http://127.0.0.1:\(receiver.port)/"
        #expect(status(exchange.result(request(url, body: body))) == 413)
        // The rest of that body must not become the head of another request.
        #expect(status(exchange.result(request(url, body: body))) == 413)
        #expect(receiver.connectionCount == 2)
    }

    @Test(arguments: [
        "169.254.169.254", "169.254.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
        "100.100.100.200", "192.0.0.192", "[fe80::1]", "[fd00:ec2::254]", "[fd20:ce::254]",
        "[ff02::1]", "[::]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
    ])
    func `nothing is sent to a metadata service, however it is written`(host: String) throws {
        let exchange = try Exchange()
        #expect(exchange.result(request("http://\(host)/")) == .failed(.addressRefused))
    }

    @Test(arguments: [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.253.255.255", "8.8.8.8",
        "::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1",
    ])
    func `the addresses of real servers are not refused`(host: String) throws {
        let address = try #require(
            ServerAddress.lookUp(host, port: 80, isNumeric: true).first)
        #expect(!address.isRefused)
    }

    @Test func `a name is looked up without blocking, and each of its addresses is tried`() throws {
        let receiver = try TestReceiver { _ in .status(200) }
        let exchange = try Exchange()
        // localhost is ::1 first where the machine has it, and nothing listens there.
        let url = "http://localhost:\(receiver.port)/hook"
        #expect(status(exchange.result(request(url))) == 200)
        #expect(receiver.requests.first?.headers["host"] == "localhost:\(receiver.port)")
    }

    @Test func `a connect that hangs ends at its own time-out, and was never sent`() throws {
        // A listener that accepts nothing and has no room left: the kernel lets a SYN wait.
        let full = try FullListener()
        var limits = HTTPLimits()
        limits.connectDuration = .milliseconds(200)
        let exchange = try Exchange(limits: limits)
        exchange.client.send(request("http://127.0.0.1:\(full.port)/"), ticket: 1)
        let completion = try #require(exchange.next())
        #expect(completion.result == .failed(.connectTimedOut))
        #expect(completion.duration >= .milliseconds(200))
        #expect(completion.duration < limits.answerDuration)
    }

    @Test func `a connection that rests too long is closed`() throws {
        let receiver = try TestReceiver { _ in .status(200) }
        let exchange = try Exchange()
        #expect(status(exchange.result(request(receiver.url))) == 200)
        let deadline = try #require(exchange.client.nextDeadline)
        exchange.client.expire(now: deadline - .milliseconds(1))
        #expect(exchange.client.nextDeadline == deadline)
        exchange.client.expire(now: deadline)
        #expect(exchange.client.nextDeadline == nil)
        #expect(status(exchange.result(request(receiver.url))) == 200)
        #expect(receiver.connectionCount == 2)
    }

    @Test func `many exchanges at once each get their own answer`() throws {
        let receiver = try TestReceiver { .status(200, body: $0.text) }
        let exchange = try Exchange()
        for ticket in 0..<400 {
            exchange.client.send(request(receiver.url, body: "\(ticket)"), ticket: ticket)
        }
        for _ in 0..<400 {
            let completion = try #require(exchange.next())
            guard case .answered(let answer) = completion.result else {
                Issue.record("\(completion.result)")
                return
            }
            #expect(answer.body == Array("\(completion.ticket)".utf8))
        }
    }
}

/// Answers each connection at once, reads nothing, and ends only its own side.
private final class EarlyAnswerer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Inbox<Int32> {}
    private let counted = Inbox<Int> {}

    init(_ answer: String) throws {
        listener = try systemCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { listen(listener, 8) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [accepted, counted] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
                accepted.put(connection)
                counted.put(1)
            }
        }
        thread.start()
    }

    var connectionCount: Int { counted.takeAll().count }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for connection in accepted.takeAll() { close(connection) }
    }
}

/// Listens, accepts nothing, and has its queue of one full.
private final class FullListener: Sendable {
    let port: UInt16
    private let descriptors: [Int32]

    init() throws {
        let listener = try systemCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        var fillers: [Int32] = []
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { listen(listener, 0) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
                for _ in 0..<4 {
                    let filler = try systemCall("socket") { socket(AF_INET, type, 0) }
                    _ = connect(filler, address, length)
                    fillers.append(filler)
                }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        descriptors = [listener] + fillers
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
