import Base
import Glibc
import TestSupport
import Testing

@testable import Ingest

/// Many clients at once, most of them up to nothing good, against the running server.
///
/// The full size, 5,000 that idle and 5,000 that drip, is `scripts/bench slow-clients`.
@Suite struct CrowdTests {
    @Test func `beside clients that idle and drip an honest webhook is answered at once`() throws {
        let count = Crowd.size(wanted: 400)
        let server = try ServerFixture(limits: { $0.connectionsMax = 3 * count })
        let idle = try (0..<count).map { _ in try RawClient(port: server.port) }
        let dripping = try (0..<count).map { _ in try RawClient(port: server.port) }
        let bytes = Array(ServerFixture.webhook("{}").utf8)
        let honest = try BlockingHTTPClient(port: server.port)
        for step in 0..<20 {
            for client in dripping { client.send(bytes[step...step]) }
            try honest.write(Array(ServerFixture.webhook("\(step)").utf8))
            #expect(try honest.readAnswer().status == 200)
        }
        #expect(server.bodies == (0..<20).map(String.init))
        // Who drips to the end is served like anybody else.
        for client in dripping { client.send(bytes[20...]) }
        for client in dripping { #expect(client.answer()?.status == 200) }
        #expect(server.bodies.count == 20 + count)
        withExtendedLifetime(idle) {}
    }

    @Test func `beyond the limit the oldest idle connection makes room, a busy one does not`()
        throws
    {
        let server = try ServerFixture(limits: {
            $0.connectionsMax = 8
            $0.idleDurationMin = .milliseconds(1)
        })
        let busy = try RawClient(port: server.port)
        let bytes = Array(ServerFixture.webhook("busy").utf8)
        busy.send(bytes.dropLast())
        var others: [RawClient] = []
        for number in 0..<40 {
            let client = try RawClient(port: server.port)
            client.send(Array(ServerFixture.webhook("\(number)").utf8)[...])
            #expect(client.answer()?.status == 200, "connection \(number)")
            others.append(client)
        }
        busy.send(bytes.suffix(1))
        #expect(busy.answer()?.status == 200)
        #expect(server.bodies.count == 41)
    }

    @Test func `resets in mid-body cost nothing that stays`() throws {
        let server = try ServerFixture()
        let bytes = Array(ServerFixture.webhook(String(repeating: "x", count: 100_000)).utf8)
        for cut in stride(from: 1, to: bytes.count, by: 2_503) {
            let client = try RawClient(port: server.port)
            client.send(bytes[..<cut])
            client.reset()
        }
        let honest = try BlockingHTTPClient(port: server.port)
        try honest.write(bytes)
        #expect(try honest.readAnswer().status == 200)
        #expect(server.bodies.count == 1)
        func metric(_ name: String) -> Double {
            let lines = server.registry.render().split(separator: "\n")
            let line = lines.first { $0.hasPrefix(name + " ") }
            return line?.split(separator: " ").last.flatMap { Double($0) } ?? -1
        }
        #expect(waitUntil { metric("ingest_connections") == 1 })
        #expect(waitUntil { metric("ingest_buffer_bytes") == 0 })
    }

    @Test func `who finishes sending behind a whole request still gets its answer`() throws {
        let server = try ServerFixture()
        let get = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
        for (stream, statuses) in [
            (ServerFixture.webhook("1"), [200]),
            (ServerFixture.webhook("2") + get + ServerFixture.webhook("3"), [200, 404, 200]),
            (get + "POST /webhook HT", [404, 400]),
            (String(ServerFixture.webhook("4").dropLast()), [400]),
        ] {
            let client = try RawClient(port: server.port)
            client.send(Array(stream.utf8)[...])
            client.finishSending()
            var answered: [Int] = []
            while let answer = client.answer() { answered.append(answer.status) }
            #expect(answered == statuses)
            #expect(client.isAtEnd && !client.wasReset && client.received.isEmpty)
        }
        #expect(server.bodies == ["1", "2", "3"])
    }

    @Test func `several hundred pipelined webhooks are all answered, in order`() throws {
        let server = try ServerFixture()
        let bodies = (0..<500).map { "\($0) " + String(repeating: "x", count: $0 * 7) }
        let client = try RawClient(port: server.port)
        client.send(Array(bodies.map { ServerFixture.webhook($0) }.joined().utf8)[...])
        for number in bodies.indices { #expect(client.answer()?.status == 200, "\(number)") }
        #expect(server.bodies == bodies)
    }

    @Test func `a HEAD of the handshake has the length of its answer and no body`() throws {
        let server = try ServerFixture()
        let target = "/webhook?hub.mode=subscribe&hub.verify_token=a+token&hub.challenge=1234"
        let client = try RawClient(port: server.port)
        client.send(Array("HEAD \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...])
        let answer = client.answer(isHead: true)
        #expect(answer?.status == 200)
        #expect(answer?.fields["content-length"] == "4")
        client.send(Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...])
        #expect(client.answer()?.body == "1234")
    }
}

private enum Crowd {
    /// As many clients as descriptors allow: each costs two here, its own end and the server's.
    static func size(wanted: Int) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return min(wanted, Int(clamping: limit.rlim_cur) / 8)
    }
}
