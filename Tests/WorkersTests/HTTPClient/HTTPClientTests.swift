import Base
import Foundation
import TestSupport
import Testing

@testable import Workers

/// What the client does on the wire, tried against a server of our own.
@Suite struct HTTPClientTests {
    /// Sends through a client and waits for the ends.
    final class Exchange {
        let client: HTTPClient
        private var ended: [HTTPCompletion] = []

        init(limits: HTTPLimits = HTTPLimits()) throws {
            ProxyExemption.add(host: "127.0.0.1")
            client = try HTTPClient(limits: limits) {}
        }

        deinit { client.close() }

        /// Those that have ended and were not taken.
        func takeEnded() -> [HTTPCompletion] {
            defer { ended = [] }
            return ended + client.takeEnded()
        }

        /// The next end, with the client's deadlines kept.
        func next() -> HTTPCompletion? {
            waitUntil {
                client.expire(now: MonotonicClock.now())
                ended += client.takeEnded()
                return !ended.isEmpty
            }
            return ended.isEmpty ? nil : ended.removeFirst()
        }

        func result(_ request: HTTPRequest) -> HTTPCompletion.Result? {
            client.send(request, ticket: 1)
            return next()?.result
        }
    }

    private func request(
        _ url: String, body: String = "{}", headers: [(String, String)] = []
    ) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url,
            headers: [.init(name: "Content-Length", value: "\(body.utf8.count)")]
                + headers.map { .init(name: $0.0, value: $0.1) },
            body: Array(body.utf8))
    }

    @Test func `headers and body arrive as given, and nothing surprising beside them`() throws {
        let receiver = try TestReceiver { _ in .status(200) }
        let exchange = try Exchange()
        let given = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("User-Agent", "facebookexternalua"), ("X-Hub-Signature-256", "sha256=00ff"),
            ("X-Hub-Signature", "sha1=00ff"), ("X-Delivery-Id", "a, b"),
            ("Authorization", "Basic eDp5"),
        ]
        let body = #"{"text":"\u00e9 \/ é"}"#
        let result = exchange.result(request(receiver.url, body: body, headers: given))
        guard case .answered(let answer) = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(answer.status == 200)
        #expect(answer.body == Array("ok".utf8))
        let received = try #require(receiver.requests.first)
        #expect(received.text == body)
        #expect(received.head.hasPrefix("POST /hook HTTP/1.1\r\n"))
        for (name, value) in given { #expect(received.headers[name.lowercased()] == value) }
        #expect(received.headers["content-length"] == "\(body.utf8.count)")
        #expect(received.headers["accept-encoding"] == "identity")
        let ours = Set(given.map { $0.0.lowercased() }).union(["content-length"])
        let added = Set(received.headers.keys).subtracting(ours)
        #expect(
            added.isSubset(of: [
                "host", "accept", "accept-encoding", "accept-language", "connection",
            ]))
    }

    @Test func `a body of 3 MB arrives whole and without waiting for 100-continue`() throws {
        let receiver = try TestReceiver { _ in .status(200) }
        let exchange = try Exchange()
        let body = String(repeating: "0123456789", count: 300_000)
        guard case .answered = exchange.result(request(receiver.url, body: body)) else {
            Issue.record("no answer")
            return
        }
        let received = try #require(receiver.requests.first)
        #expect(received.body.count == 3_000_000)
        #expect(received.headers["expect"] == nil)
    }

    @Test func `redirects are not followed`() throws {
        let receiver = try TestReceiver { _ in .status(302, headers: ["Location": "/elsewhere"]) }
        let exchange = try Exchange()
        guard case .answered(let answer) = exchange.result(request(receiver.url)) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 302)
        #expect(receiver.requests.count == 1)
    }

    @Test func `a cookie is not sent back, and a connection is used again`() throws {
        let receiver = try TestReceiver { _ in
            .status(
                200, headers: ["Set-Cookie": "session=1; Path=/", "Cache-Control": "max-age=60"])
        }
        let exchange = try Exchange()
        for _ in 0..<5 { _ = exchange.result(request(receiver.url)) }
        #expect(receiver.requests.count == 5)
        #expect(receiver.requests.allSatisfy { $0.headers["cookie"] == nil })
        #expect(receiver.connectionCount == 1)
    }

    @Test func `401 with a challenge is an answer like others`() throws {
        let receiver = try TestReceiver { _ in
            .status(401, headers: ["WWW-Authenticate": "Basic realm=\"x\""], body: "no")
        }
        let exchange = try Exchange()
        guard case .answered(let answer) = exchange.result(request(receiver.url)) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 401)
        #expect(receiver.requests.count == 1)
    }

    @Test func `Retry-After and the type of an answer are kept, and 2 KiB of its body`() throws {
        let receiver = try TestReceiver { _ in
            .status(
                503, headers: ["retry-after": "7", "content-type": "text/html"],
                body: String(repeating: "x", count: 10_000))
        }
        let exchange = try Exchange()
        guard case .answered(let answer) = exchange.result(request(receiver.url)) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.retryAfter == "7")
        #expect(answer.contentType == "text/html")
        #expect(answer.body.count == 2_048)
    }

    @Test func `an endless answer is cut and its status counts`() throws {
        let receiver = try TestReceiver { _ in
            .raw(
                "HTTP/1.1 500 E\r\nContent-Length: 9000000\r\n\r\n"
                    + String(repeating: "x", count: 200_000))
        }
        let exchange = try Exchange()
        guard case .answered(let answer) = exchange.result(request(receiver.url)) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 500)
    }

    @Test func `failures are told apart by whether the request can have arrived`() throws {
        let closed = try TestReceiver { _ in .hangUp }
        let cut = try TestReceiver { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx") }
        let nonsense = try TestReceiver { _ in .raw("hello\r\n\r\n") }
        let gone = try TestReceiver { _ in .status(200) }
        gone.goDown()
        let exchange = try Exchange()
        #expect(exchange.result(request(closed.url)) == .failed(.connectionLost))
        #expect(exchange.result(request(cut.url)) == .failed(.connectionLost))
        #expect(exchange.result(request(nonsense.url)) == .failed(.malformedAnswer))
        #expect(exchange.result(request(gone.url)) == .failed(.connectionRefused))
        #expect(exchange.result(request("http://name.invalid/")) == .failed(.nameNotResolved))
    }

    @Test func `plain text where TLS was expected is a TLS failure`() throws {
        // A TLS hello holds no empty line, so the answer must not wait for one.
        let receiver = try PlainSpeaker()
        let exchange = try Exchange()
        let result = exchange.result(request("https://127.0.0.1:\(receiver.port)/"))
        #expect(result == .failed(.tlsFailed))
    }

    @Test func `an answer that does not come in time is a time-out, and stays one report`() throws {
        let receiver = try TestReceiver { _ in .silence }
        var limits = HTTPLimits()
        // Long enough to connect on a busy machine: a slower connect is another failure.
        limits.answerDuration = .seconds(3)
        let exchange = try Exchange(limits: limits)
        exchange.client.send(request(receiver.url), ticket: 9)
        let completion = try #require(exchange.next())
        #expect(completion.result == .failed(.timedOut))
        #expect(completion.ticket == 9)
        #expect(completion.duration >= .seconds(3))
        #expect(exchange.client.nextDeadline == nil)
        _ = exchange.result(request("http://name.invalid/"))
        #expect(exchange.takeEnded().isEmpty)
    }

    @Test func `what is given up is cancelled, once, and at once`() throws {
        let receiver = try TestReceiver { _ in .silence }
        let exchange = try Exchange()
        for ticket in 0..<3 { exchange.client.send(request(receiver.url), ticket: ticket) }
        waitUntil {
            _ = exchange.client.takeEnded()
            return receiver.requests.count == 3
        }
        exchange.client.cancelAll()
        let completions = exchange.takeEnded()
        #expect(completions.map(\.ticket).sorted() == [0, 1, 2])
        #expect(completions.allSatisfy { $0.result == .failed(.cancelled) })
    }

    @Test func `as many requests run at once as there may be connections`() throws {
        let receiver = try TestReceiver { _ in .silence }
        var limits = HTTPLimits()
        limits.connectionsMax = 20
        let exchange = try Exchange(limits: limits)
        for ticket in 0..<20 { exchange.client.send(request(receiver.url), ticket: ticket) }
        let isThere = waitUntil {
            _ = exchange.client.takeEnded()
            return receiver.requests.count == 20
        }
        #expect(isThere)
    }

    @Test func `a host is added once to those that no proxy serves`() {
        #expect(ProxyExemption.list("", adding: "php.local") == "php.local")
        #expect(ProxyExemption.list("a,b", adding: "php.local") == "a,b,php.local")
        #expect(ProxyExemption.list("a, php.local", adding: "php.local") == "a, php.local")
        #expect(ProxyExemption.list("*", adding: "php.local") == "*")
    }
}
