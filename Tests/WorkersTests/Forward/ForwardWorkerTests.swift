import Base
import Queue
import Synchronization
import TestSupport
import Testing
import WhatsApp

@testable import Workers

/// The pool at work: a real queue file, real sockets.
@Suite struct ForwardWorkerTests {
    @Test func `a message arrives byte for byte with WhatsApp's headers and ours`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        fixture.settings.headers = [.init(name: "X-Firewall", value: "pass")]
        let body = ForwardFixture.body(messages: [("491", "m-1")])
        try fixture.append(body)
        try fixture.start()
        #expect(try fixture.waitForDelivered(1))
        let request = try #require(fixture.receiver.requests.first)
        #expect(request.text == body)
        let signatures = SignatureVerifier.sign(body: request.body, secret: fixture.secret)
        #expect(request.headers["x-hub-signature-256"] == signatures.signature256)
        #expect(request.headers["x-hub-signature"] == signatures.signature1)
        #expect(request.headers["user-agent"] == "facebookexternalua")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["content-length"] == "\(body.utf8.count)")
        #expect(request.headers["x-forwarded-for"] == "203.0.113.7")
        #expect(request.headers["x-delivery-id"]?.utf8.count == 32)
        #expect(request.headers["x-delivery-attempt"] == "1")
        #expect(Timestamp(rfc3339: request.headers["x-webhook-received-at"] ?? "") != nil)
        #expect(request.headers["x-delivery-replay"] == nil)
        #expect(request.headers["x-firewall"] == "pass")
    }

    @Test func `a mixed body is cut, and signed anew with the secret that verified it`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        try fixture.append(
            ForwardFixture.body(messages: [("491", "m-1"), ("492", "m-2")], statuses: ["s-1"]))
        try fixture.append(ForwardFixture.body(messages: [], statuses: ["s-2"]))
        try fixture.start()
        #expect(try fixture.waitForDelivered(2))
        let requests = fixture.receiver.requests
        #expect(Set(requests.map(\.messageIDs)) == [["m-1"], ["m-2"]])
        for request in requests {
            let signatures = SignatureVerifier.sign(body: request.body, secret: fixture.secret)
            #expect(request.headers["x-hub-signature-256"] == signatures.signature256)
            #expect(!request.text.contains("statuses"))
        }
    }

    @Test func `doubles are delivered once, in one body and across webhooks`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        let twice = ForwardFixture.body(messages: [("491", "m-1"), ("491", "m-1")])
        try fixture.append(twice)
        try fixture.append(ForwardFixture.body(messages: [("491", "m-9")]))
        try fixture.append(twice)
        try fixture.start()
        #expect(try fixture.waitForDelivered(2))
        try fixture.append(twice)
        try fixture.append(from: "491", "m-last")
        #expect(try fixture.waitForDelivered(3))
        #expect(fixture.receiver.requests.flatMap(\.messageIDs) == ["m-1", "m-9", "m-last"])
        let statistics = try fixture.session.statistics()
        #expect(statistics.count(.forwardDoubles) == 5)
        #expect(statistics.balances)
    }

    @Test func `what cannot be read is one dead letter and holds up nothing`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        try fixture.append("{not json")
        try fixture.append(from: "491", "m-1")
        try fixture.start()
        #expect(try fixture.waitForDelivered(1))
        #expect(try fixture.deadCount() == 1)
        #expect(fixture.receiver.requests.count == 1)
    }

    @Test func `order within each conversation holds however often the receiver fails`() throws {
        let seen = Mutex<[String: Int]>([:])
        let fixture = try ForwardFixture { request in
            let id = request.messageIDs.first ?? ""
            let count = seen.withLock { seen -> Int in
                seen[id, default: 0] += 1
                return seen[id, default: 0]
            }
            // Each message fails as often as its number says.
            return .status(count > (id.utf8.last.map { Int($0) % 3 } ?? 0) ? 200 : 500)
        }
        for number in 1...6 {
            for sender in ["491", "492", "493", "494"] {
                try fixture.append(from: sender, "m-\(sender)-\(number)")
            }
        }
        try fixture.start()
        #expect(try fixture.waitForDelivered(24))
        for sender in ["491", "492", "493", "494"] {
            var order: [String] = []
            for request in fixture.receiver.requests where request.sender == sender {
                if order.last != request.messageIDs.first { order += request.messageIDs }
            }
            #expect(order == (1...6).map { "m-\(sender)-\($0)" })
        }
        #expect(try fixture.session.statistics().balances)
    }

    @Test func `a conversation that waits for a retry does not slow the others`() throws {
        let fixture = try ForwardFixture { request in
            request.sender == "bad" ? .status(503, headers: ["Retry-After": "600"]) : .status(200)
        }
        fixture.settings.policy.backoff.delayMax = .seconds(600)
        for number in 1...20 {
            try fixture.append(from: "bad", "m-bad-\(number)")
            try fixture.append(from: "good", "m-good-\(number)")
        }
        try fixture.start()
        #expect(try fixture.waitForDelivered(20))
        let order = fixture.receiver.requests.filter { $0.sender == "good" }
        #expect(order.flatMap(\.messageIDs) == (1...20).map { "m-good-\($0)" })
        #expect(fixture.receiver.requests.filter { $0.sender == "bad" }.count == 1)
    }

    @Test func `a refused message dies after its refusals and its conversation goes on`() throws {
        let fixture = try ForwardFixture { request in
            request.messageIDs == ["m-2"] ? .status(400, body: "no such field") : .status(200)
        }
        for id in ["m-1", "m-2", "m-3"] { try fixture.append(from: "491", id) }
        try fixture.start()
        #expect(try fixture.waitForDelivered(2))
        #expect(
            fixture.receiver.requests.flatMap(\.messageIDs)
                == ["m-1", "m-2", "m-2", "m-2", "m-3"])
        let letter = try #require(
            try fixture.session.deadLetters.list(DeadLetterFilter(), limit: 10).first)
        #expect(letter.reason == "refused")
        #expect(letter.status == 400)
        let attempts = try fixture.session.deadLetters.attempts(of: letter.id)
        #expect(attempts.map(\.number) == [1, 2, 3])
        #expect(attempts.allSatisfy { $0.answer == Array("no such field".utf8) && $0.isSpent })
    }

    @Test func `an outage burns no attempts and everything arrives in order after it`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        // One spent attempt, or one refusal, would be the end of a message.
        fixture.settings.policy.attemptsMax = 1
        fixture.receiver.goDown()
        for number in 1...5 {
            for sender in ["491", "492", "493"] {
                try fixture.append(from: sender, "m-\(sender)-\(number)")
            }
        }
        try fixture.start()
        let probes = fixture.registry.counter(
            "workers_forward_attempts_total", help: "",
            labels: ["destination": "default", "outcome": "unreached"])
        #expect(waitUntil { probes.value >= 4 })
        try fixture.receiver.comeBack()
        #expect(try fixture.waitForDelivered(15))
        #expect(try fixture.deadCount() == 0)
        for sender in ["491", "492", "493"] {
            let order = fixture.receiver.requests.filter { $0.sender == sender }
            #expect(order.flatMap(\.messageIDs) == (1...5).map { "m-\(sender)-\($0)" })
        }
    }

    @Test func `a receiver that answers 500 to all is left alone, but for single probes`() throws {
        let isUp = Mutex(false)
        let fixture = try ForwardFixture { _ in .status(isUp.withLock { $0 } ? 200 : 500) }
        // Those that failed before the breaker opened have one attempt left, and a probe must not
        // take it: after 16 probes each of the 12 was probed.
        fixture.settings.policy.attemptsMax = 2
        fixture.settings.policy.backoff.delayMax = .milliseconds(40)
        for sender in 1...12 { try fixture.append(from: "49\(sender)", "m-\(sender)") }
        try fixture.start()
        #expect(waitUntil { fixture.receiver.requests.count >= 24 })
        isUp.withLock { $0 = true }
        #expect(try fixture.waitForDelivered(12))
        #expect(try fixture.deadCount() == 0)
        #expect(
            fixture.registry.counter(
                "workers_forward_breaker_openings_total", help: "",
                labels: ["destination": "default"]
            ).value == 1)
    }

    @Test func `Retry-After is kept`() throws {
        let times = Mutex<[Duration]>([])
        let fixture = try ForwardFixture { _ in
            let count = times.withLock { times -> Int in
                times.append(MonotonicClock.now())
                return times.count
            }
            return count == 1 ? .status(503, headers: ["Retry-After": "1"]) : .status(200)
        }
        fixture.settings.policy.backoff.delayMax = .seconds(5)
        try fixture.append(from: "491", "m-1")
        try fixture.start()
        #expect(try fixture.waitForDelivered(1))
        let moments = times.withLock { $0 }
        #expect(moments.count == 2)
        #expect(moments[1] - moments[0] >= .milliseconds(990))
    }

    @Test func `a stop lets what is under way end, and settles it`() throws {
        let isReleased = Mutex(false)
        let fixture = try ForwardFixture { _ in
            waitUntil { isReleased.withLock { $0 } }
            return .status(200)
        }
        try fixture.append(from: "491", "m-1")
        try fixture.start()
        #expect(waitUntil { fixture.receiver.requests.count == 1 })
        isReleased.withLock { $0 = true }
        fixture.stop()
        #expect(try fixture.deliveredCount() == 1)
    }

    @Test func `what a stop cuts off is released, not counted as failed, and goes first`() throws {
        let isUp = Mutex(false)
        let fixture = try ForwardFixture { _ in isUp.withLock { $0 } ? .status(200) : .silence }
        for number in 1...3 { try fixture.append(from: "491", "m-\(number)") }
        try fixture.start()
        #expect(waitUntil { fixture.receiver.requests.count == 1 })
        fixture.stop(within: .milliseconds(50))
        isUp.withLock { $0 = true }
        try fixture.start()
        #expect(try fixture.waitForDelivered(3))
        let requests = fixture.receiver.requests
        #expect(requests.flatMap(\.messageIDs) == ["m-1", "m-1", "m-2", "m-3"])
        #expect(requests.allSatisfy { $0.headers["x-delivery-attempt"] == "1" })
        #expect(Set(requests.prefix(2).map { $0.headers["x-delivery-id"] }).count == 1)
    }

    @Test func `a second pool on one queue is refused in one line`() throws {
        let fixture = try ForwardFixture { _ in .status(200) }
        try fixture.start()
        do {
            _ = try fixture.makeWorker()
            Issue.record("two pools hold one queue")
        } catch {
            #expect("\(error)".contains("another forward pool"))
            #expect(!"\(error)".contains("\n"))
        }
        fixture.stop()
        try fixture.start()
    }
}
