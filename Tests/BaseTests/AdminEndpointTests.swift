import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Base

/// An endpoint on a port of the kernel's choice, stopped when the test lets go of it.
private final class RunningEndpoint {
    let endpoint: AdminEndpoint
    let counter: Counter
    let refreshCount: Gauge

    init(reason: String? = nil) throws {
        let metrics = MetricsRegistry()
        counter = metrics.counter("webhooks_total", help: "Webhooks")
        let gauge = metrics.gauge("refreshes", help: "Calls")
        refreshCount = gauge
        endpoint = try AdminEndpoint(
            address: ListenAddress(host: "127.0.0.1", port: 0), metrics: metrics,
            readiness: { reason }, refresh: { gauge.set(gauge.value + 1) })
        endpoint.start()
        endpoint.start()
    }

    deinit { endpoint.stop() }

    func client() throws -> BlockingHTTPClient { try BlockingHTTPClient(port: endpoint.port) }

    /// What comes back for these bytes, to the end of the stream.
    func exchange(_ text: String) throws -> String {
        let client = try client()
        try client.write(Array(text.utf8))
        let answer = try client.readAnswer()
        #expect(throws: BlockingHTTPClient.Failure.self) { try client.readAnswer() }
        return "\(answer.status) " + String(decoding: answer.body, as: UTF8.self)
    }
}

@Suite struct AdminEndpointTests {
    @Test func `metrics are refreshed, rendered, and the connection is closed`() throws {
        let running = try RunningEndpoint()
        running.counter.add(3)
        let client = try running.client()
        let answer = try client.send("GET", "/metrics?x=1")
        #expect(answer.status == 200)
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.fields["connection"] == "close")
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text.contains("\nwebhooks_total 3\n"))
        #expect(text.contains("\nrefreshes 1\n"))
        #expect(throws: BlockingHTTPClient.Failure.self) { try client.readAnswer() }
    }

    @Test func `health and readiness`() throws {
        let ready = try RunningEndpoint()
        #expect(try ready.exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == "200 ok\n")
        #expect(try ready.exchange("GET /readyz HTTP/1.0\r\n\r\n") == "200 ready\n")
        let waiting = try RunningEndpoint(reason: "the disk is full")
        #expect(try waiting.exchange("GET /healthz HTTP/1.1\r\n\r\n") == "200 ok\n")
        #expect(try waiting.exchange("GET /readyz HTTP/1.1\r\n\r\n") == "503 the disk is full\n")
        #expect(waiting.refreshCount.value == 0)
    }

    @Test(arguments: [
        ("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
        ("get /metrics HTTP/1.1\r\n\r\n", 405), ("GET / HTTP/1.1\r\n\r\n", 404),
        ("GET /metrics/ HTTP/1.1\r\n\r\n", 404), ("GET metrics HTTP/1.1\r\n\r\n", 400),
        ("GET  /metrics HTTP/1.1\r\n\r\n", 400), ("GET /metrics HTTP/2.0\r\n\r\n", 400),
        ("GET /metrics\r\n\r\n", 400), ("\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
    ])
    func `anything else is refused`(request: String, status: Int) throws {
        let running = try RunningEndpoint()
        #expect(try running.exchange(request).hasPrefix("\(status) "))
    }

    @Test func `who is refused may finish sending, so that the answer is not lost to a reset`()
        throws
    {
        let running = try RunningEndpoint()
        let client = try running.client()
        try client.write(Array("POST /metrics HTTP/1.1\r\nContent-Length: 30000\r\n\r\n".utf8))
        #expect(try client.readAnswer().status == 405)
        #expect(throws: BlockingHTTPClient.Failure.self) { try client.readAnswer() }
        for _ in 0..<3 { try client.write([UInt8](repeating: 0x61, count: 10_000)) }
    }

    @Test func `HEAD has the fields and no body`() throws {
        let request = AdminRequest(head: Array("HEAD /healthz HTTP/1.1\r\n".utf8))
        let answers = AdminAnswers(metrics: MetricsRegistry(), readiness: { nil }, refresh: {})
        let text = String(decoding: answers.answer(request).bytes, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("\r\nContent-Length: 3\r\n"))
        #expect(text.hasSuffix("\r\nConnection: close\r\n\r\n"))
        let refusal = answers.answer(.otherMethod)
        #expect(String(decoding: refusal.bytes, as: UTF8.self).contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test(arguments: [(0, 200), (1, 431)])
    func `a head on both sides of its limit`(extraCount: Int, status: Int) throws {
        let running = try RunningEndpoint()
        let frame = "GET /healthz HTTP/1.1\r\nX: \r\n\r\n"
        let count = AdminRequest.headBytesMax - frame.utf8.count + extraCount
        let filler = String(repeating: "x", count: count)
        let request = "GET /healthz HTTP/1.1\r\nX: \(filler)\r\n\r\n"
        #expect(try running.exchange(request).hasPrefix("\(status) "))
    }

    @Test func `a request may come byte by byte`() throws {
        let running = try RunningEndpoint()
        let client = try running.client()
        for byte in "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8 { try client.write([byte]) }
        #expect(try client.readAnswer().status == 200)
    }

    @Test func `a silent client holds up the next for two seconds at most`() throws {
        let running = try RunningEndpoint()
        let silent = try running.client()
        try silent.write(Array("GET /healthz".utf8))
        let start = MonotonicClock.now()
        #expect(try running.exchange("GET /healthz HTTP/1.1\r\n\r\n") == "200 ok\n")
        let waited = MonotonicClock.now() - start
        #expect(waited >= .milliseconds(1_500) && waited < .seconds(10))
        #expect(throws: BlockingHTTPClient.Failure.self) { try silent.readAnswer() }
    }

    @Test func `clients that go away at once do no harm`() throws {
        let running = try RunningEndpoint()
        for _ in 0..<20 { _ = try running.client() }
        for _ in 0..<20 { try running.client().write(Array("GET /metrics HTTP/1.1\r\n\r\n".utf8)) }
        #expect(try running.exchange("GET /healthz HTTP/1.1\r\n\r\n") == "200 ok\n")
    }

    @Test func `stopping does not wait for a silent client, and gives the port back`() throws {
        let running = try RunningEndpoint()
        let silent = try running.client()
        try silent.write(Array("GET /healthz".utf8))
        let start = MonotonicClock.now()
        running.endpoint.stop()
        running.endpoint.stop()
        #expect(MonotonicClock.now() - start < .seconds(1))
        let port = running.endpoint.port
        #expect(throws: Never.self) {
            let again = try AdminEndpoint(
                address: ListenAddress(host: "127.0.0.1", port: port), metrics: MetricsRegistry(),
                readiness: { nil })
            again.stop()
            again.start()
        }
        #expect(throws: BlockingHTTPClient.Failure.self) { try running.client() }
    }

    @Test func `a port in use is an error that names the address`() throws {
        let running = try RunningEndpoint()
        let address = ListenAddress(host: "127.0.0.1", port: running.endpoint.port)
        let error = #expect(throws: SystemError.self) {
            try AdminEndpoint(
                address: address, metrics: MetricsRegistry(), readiness: { nil })
        }
        #expect(error == SystemError(call: "bind", code: EADDRINUSE, path: address.description))
        #expect(error?.description == "bind \(address): Address already in use")
    }

    @Test func `random bytes are answered or dropped, and the next request is served`() throws {
        var generator = SeededGenerator.announced("AdminEndpointTests")
        let running = try RunningEndpoint()
        let alphabet = Array("GET /healthz HTTP/1.1\r\n\r\n\r\n\0".utf8) + [0xFF]
        for _ in 0..<100 {
            let count = Int.random(in: 0...60, using: &generator)
            let bytes = (0..<count).map { _ in
                alphabet[Int.random(in: alphabet.indices, using: &generator)]
            }
            let client = try running.client()
            try client.write(bytes + [13, 10, 13, 10])
            #expect([400, 404, 405, 200].contains(try client.readAnswer().status))
        }
        #expect(try running.exchange("GET /healthz HTTP/1.1\r\n\r\n") == "200 ok\n")
    }
}
