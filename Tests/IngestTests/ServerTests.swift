import Base
import Queue
import TestSupport
import Testing

@testable import Ingest

/// The running server over real sockets.
@Suite struct ServerTests {
    @Test func `a signed webhook is stored and answered 200`() throws {
        let server = try ServerFixture()
        let answer = try server.answer(to: ServerFixture.webhook("{\"a\":1}"))
        #expect(answer.status == 200)
        #expect(server.bodies == ["{\"a\":1}"])
    }

    @Test(arguments: [
        "sha256=" + String(repeating: "0", count: 64), "", "sha256=", "sha1=00",
        String(repeating: "a", count: 64), "sha256=" + String(repeating: "g", count: 64),
    ])
    func `a wrong, missing or malformed signature is answered 401 and stored nowhere`(
        signature: String
    ) throws {
        let server = try ServerFixture()
        let answer = try server.answer(
            to: ServerFixture.webhook("{}", signature: signature))
        #expect(answer.status == 401)
        let missing = "POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
        #expect(try server.answer(to: missing).status == 401)
        #expect(server.bodies.isEmpty)
    }

    @Test func `the handshake answers the decoded challenge, and a wrong token 403`() throws {
        let server = try ServerFixture()
        func ask(_ token: String, method: String = "GET") throws -> BlockingHTTPClient.Answer {
            let query = "hub.mode=subscribe&hub.verify_token=\(token)&hub.challenge=1%2B1%3D2"
            return try server.answer(
                to: "\(method) /webhook?\(query) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        let right = try ask("a+token")
        #expect(right.status == 200)
        #expect(right.body == Array("1+1=2".utf8))
        #expect(right.fields["content-type"]?.hasPrefix("text/plain") == true)
        #expect(try ask("another").status == 403)
    }

    @Test func `a request is read alike byte by byte and in two pieces`() throws {
        let server = try ServerFixture()
        let bytes = Array(ServerFixture.webhook("{\"b\":2}").utf8)
        let client = try BlockingHTTPClient(port: server.port)
        for byte in bytes { try client.write([byte]) }
        #expect(try client.readAnswer().status == 200)
        for cut in stride(from: 1, to: bytes.count, by: 7) {
            try client.write(Array(bytes[..<cut]))
            try client.write(Array(bytes[cut...]))
            #expect(try client.readAnswer().status == 200)
        }
    }

    @Test func `pipelined requests are answered in order`() throws {
        let server = try ServerFixture()
        let client = try BlockingHTTPClient(port: server.port)
        let get = "GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
        let stream =
            ServerFixture.webhook("1") + get + ServerFixture.webhook("2", signature: "x")
            + ServerFixture.webhook("3")
        try client.write(Array(stream.utf8))
        #expect(try (0..<4).map { _ in try client.readAnswer().status } == [200, 404, 401, 200])
        #expect(server.bodies == ["1", "3"])
    }

    @Test func `nothing behind a broken request is read as one`() throws {
        let server = try ServerFixture()
        let client = try BlockingHTTPClient(port: server.port)
        let broken =
            "POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        try client.write(
            Array((ServerFixture.webhook("1") + broken + ServerFixture.webhook("2")).utf8))
        #expect(try client.readAnswer().status == 200)
        let refused = try client.readAnswer()
        #expect(refused.status == 400)
        #expect(refused.fields["connection"] == "close")
        #expect(throws: BlockingHTTPClient.Failure.self) { try client.readAnswer() }
        #expect(server.bodies == ["1"])
    }

    @Test(arguments: RequestCase.refused)
    func `every invalid stream gets its status and is closed`(given: RequestCase) throws {
        let server = try ServerFixture()
        let client = try BlockingHTTPClient(port: server.port)
        try client.write(Array(given.stream.utf8))
        var last = try client.readAnswer()
        while let next = try? client.readAnswer() { last = next }
        #expect(last.status == given.refusal?.status.code)
        #expect(last.fields["connection"] == "close")
        #expect(server.bodies.isEmpty)
    }

    @Test func `a body of 3 MB and one in chunks are stored whole`() throws {
        let server = try ServerFixture()
        let large = String(repeating: "x", count: 3_000_000)
        #expect(try server.answer(to: ServerFixture.webhook(large)).status == 200)
        let whole = ServerFixture.webhook("hello world")
        let chunked =
            whole.replacing("Content-Length: 11", with: "Transfer-Encoding: chunked")
            .replacing(
                "\r\n\r\nhello world", with: "\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")
        #expect(try server.answer(to: chunked).status == 200)
        #expect(server.bodies == [large, "hello world"])
    }

    @Test func `a body beyond the limit is refused before it is sent`() throws {
        let server = try ServerFixture()
        let head =
            "POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 4194305\r\n"
            + "X-Hub-Signature-256: x\r\n\r\n"
        #expect(try server.answer(to: head).status == 413)
    }

    @Test func `who waits for leave to send gets it only for a request that is wanted`() throws {
        let server = try ServerFixture()
        let client = try BlockingHTTPClient(port: server.port)
        let webhook = ServerFixture.webhook("{}", fields: "Expect: 100-continue\r\n")
        try client.write(Array(webhook.utf8.dropLast(2)))
        try client.write(Array("{}".utf8))
        #expect(try client.readAnswer().status == 200)
        let elsewhere = webhook.replacing("/webhook", with: "/nowhere").dropLast(2)
        #expect(try server.answer(to: String(elsewhere)).status == 404)
    }

    @Test func `a commit that fails is answered 503, and the connection goes on`() throws {
        let server = try ServerFixture()
        let client = try BlockingHTTPClient(port: server.port)
        let webhook = Array(ServerFixture.webhook("{}").utf8)
        server.set { $0.failure = .full }
        try client.write(webhook)
        let refused = try client.readAnswer()
        #expect(refused.status == 503)
        #expect(refused.fields["retry-after"] == "1")
        server.set { $0.failure = nil }
        try client.write(webhook)
        #expect(try client.readAnswer().status == 200)
        #expect(server.bodies == ["{}"])
    }

    @Test func `after a failed sync nothing is acknowledged and the server ends`() throws {
        let server = try ServerFixture()
        server.set { $0.failure = .syncFailed(detail: "test") }
        #expect(try server.answer(to: ServerFixture.webhook("{}")).status == 503)
        #expect(waitUntil { !isListening(on: server.port) || server.bodies.isEmpty })
        #expect(server.bodies.isEmpty)
    }

    @Test func `a gate that stays held costs a group 503, and the next one waits no more`() throws {
        let server = try ServerFixture(limits: { $0.gateWaitMax = .milliseconds(50) })
        server.set { $0.gateIsHeld = true }
        let client = try BlockingHTTPClient(port: server.port)
        let webhook = ServerFixture.webhook("{}")
        try client.write(Array(webhook.utf8))
        #expect(try client.readAnswer().status == 503)
        #expect(try server.answer(to: webhook).status == 503)
        server.set { $0.gateIsHeld = false }
        #expect(try waitUntil { try server.answer(to: webhook).status == 200 })
        #expect(server.bodies == ["{}"])
    }

    @Test func `a gate that is freed in time costs nothing`() throws {
        let server = try ServerFixture(limits: { $0.gateWaitMax = .seconds(60) })
        server.set { $0.gateIsHeld = true }
        let client = try BlockingHTTPClient(port: server.port)
        try client.write(Array(ServerFixture.webhook("{}").utf8))
        server.set { $0.gateIsHeld = false }
        #expect(try client.readAnswer().status == 200)
    }

    @Test func `while the disk is short webhooks get 503 and handshakes their answer`() throws {
        let server = try ServerFixture()
        server.set { $0.closed = .disk }
        let webhook = ServerFixture.webhook("{}")
        #expect(try waitUntil { try server.answer(to: webhook).status == 503 })
        let count = server.bodies.count
        let get = "GET /webhook?hub.mode=x HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try server.answer(to: get).status == 403)
        #expect(server.bodies.count == count)
        server.set { $0.closed = nil }
        #expect(try waitUntil { try server.answer(to: webhook).status == 200 })
    }

    @Test func `half a request times out, and so does an idle connection`() throws {
        let server = try ServerFixture(limits: {
            $0.headDuration = .milliseconds(50)
            $0.bodyDuration = .milliseconds(50)
            $0.idleDuration = .milliseconds(50)
        })
        #expect(try server.answer(to: "POST /webhook HTTP/1.1\r\nHo").status == 408)
        let unfinished = String(ServerFixture.webhook("{}").dropLast(1))
        #expect(try server.answer(to: unfinished).status == 408)
        let idle = try BlockingHTTPClient(port: server.port)
        #expect(throws: BlockingHTTPClient.Failure.self) { try idle.readAnswer() }
    }

    @Test func `the sender behind a trusted proxy is the last stranger`() throws {
        let server = try ServerFixture()
        for (hops, sender) in [
            ("", "127.0.0.1"), ("9.9.9.9", "9.9.9.9"), ("1.1.1.1, 9.9.9.9", "9.9.9.9"),
            ("9.9.9.9, 127.0.0.2", "9.9.9.9"), ("nonsense", "127.0.0.1"),
        ] {
            let fields = hops.isEmpty ? "" : "X-Forwarded-For: \(hops)\r\n"
            #expect(
                try server.answer(to: ServerFixture.webhook("{}", fields: fields)).status == 200)
            #expect(server.addresses.last == sender)
        }
    }

    @Test func `more half bodies than there is memory still let honest webhooks through`() throws {
        let server = try ServerFixture(
            limits: {
                $0.bufferBytesMax = 1_048_576
                $0.bodyDuration = .seconds(2)
            },
            requestLimits: { $0.bodyBytesMax = 262_144 })
        let half = Array(
            ServerFixture.webhook(String(repeating: "x", count: 200_000)).utf8.dropLast(1_000))
        var clients: [BlockingHTTPClient] = []
        for _ in 0..<20 {
            let client = try BlockingHTTPClient(port: server.port)
            try client.write(half)
            clients.append(client)
        }
        #expect(try server.answer(to: ServerFixture.webhook("{}")).status == 200)
        let memory = server.registry.render().split(separator: "\n")
            .first { $0.hasPrefix("ingest_buffer_bytes ") }
        let bytes = memory?.split(separator: " ").last.flatMap { Double($0) } ?? .infinity
        #expect(bytes <= 1_048_576)
        withExtendedLifetime(clients) {}
    }

    @Test func `on stopping an open connection may send one more request`() throws {
        let server = try ServerFixture(limits: { $0.stopDuration = .seconds(20) })
        let client = try BlockingHTTPClient(port: server.port)
        try client.write(Array(ServerFixture.webhook("1").utf8))
        #expect(try client.readAnswer().status == 200)
        server.askToStop()
        #expect(waitUntil { !isListening(on: server.port) })
        try client.write(Array(ServerFixture.webhook("2").utf8))
        let last = try client.readAnswer()
        #expect(last.status == 200)
        #expect(last.fields["connection"] == "close")
        #expect(server.bodies == ["1", "2"])
    }
}
