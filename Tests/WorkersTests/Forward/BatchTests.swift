import Base
import Queue
import Synchronization
import TestSupport
import Testing
import WhatsApp

@testable import Workers

/// Several deliveries in one POST: real queue, real sockets.
@Suite struct BatchTests {
    /// A pool with batches, and a receiver that answers as told; starts with what waits already.
    private func makeFixture(
        concurrency: Int = 1, countMax: Int = 10,
        reply: @escaping @Sendable (TestReceiver.Request) -> TestReceiver.Reply
    ) throws -> ForwardFixture {
        let fixture = try ForwardFixture(reply: reply)
        fixture.settings.concurrencyMax = concurrency
        fixture.settings.batchCountMax = countMax
        return fixture
    }

    @Test func `a backlog goes out in WhatsApp's own envelope, signed, with the ids in order`()
        throws
    {
        let fixture = try makeFixture { _ in .status(200) }
        for number in 1...12 { try fixture.append(from: "49\(number)", "m-\(number)") }
        try fixture.start()
        #expect(try fixture.waitForDelivered(12))
        let requests = fixture.receiver.requests
        // The first slice may be sent while the next is read.
        #expect(requests.count <= 4)
        #expect(requests.flatMap(\.messageIDs) == (1...12).map { "m-\($0)" })
        for request in requests {
            let signatures = SignatureVerifier.sign(body: request.body, secret: fixture.secret)
            #expect(request.headers["x-hub-signature-256"] == signatures.signature256)
            #expect(request.headers["x-hub-signature"] == signatures.signature1)
            let ids = (request.headers["x-delivery-id"] ?? "").split(separator: ", ")
            #expect(ids.count == request.messageIDs.count)
            #expect(request.text.hasPrefix(#"{"object":"whatsapp_business_account","entry":[{"#))
            #expect(request.headers["content-length"] == "\(request.body.count)")
        }
        let oldest = requests.first?.headers["x-webhook-received-at"]
        #expect(oldest.flatMap(Timestamp.init(rfc3339:)) != nil)
        #expect(try fixture.session.statistics().balances)
    }

    @Test func `without a backlog each delivery goes as WhatsApp sent it`() throws {
        let fixture = try makeFixture(concurrency: 8) { _ in .status(200) }
        for number in 1...4 { try fixture.append(from: "49\(number)", "m-\(number)") }
        try fixture.start()
        #expect(try fixture.waitForDelivered(4))
        #expect(fixture.receiver.requests.allSatisfy { $0.messageIDs.count == 1 })
    }

    @Test func `a long conversation goes in few POSTs and in order`() throws {
        let fixture = try makeFixture(concurrency: 4) { _ in .status(200) }
        for number in 1...30 { try fixture.append(from: "491", "m-\(number)") }
        try fixture.start()
        #expect(try fixture.waitForDelivered(30))
        #expect(fixture.receiver.requests.flatMap(\.messageIDs) == (1...30).map { "m-\($0)" })
        #expect(fixture.receiver.requests.count <= 6)
    }

    @Test(arguments: [400, 500])
    func `one bad message in a batch is found, and fails alone`(status: Int) throws {
        let fixture = try makeFixture { request in
            request.messageIDs.contains("m-5") ? .status(status) : .status(200)
        }
        fixture.settings.policy.attemptsMax = 3
        for number in 1...9 {
            try fixture.append(from: number % 2 == 0 ? "491" : "492", "m-\(number)")
        }
        try fixture.start()
        #expect(try fixture.waitForDelivered(8))
        #expect(waitUntil { (try? fixture.deadCount()) == 1 })
        let letter = try #require(
            try fixture.session.deadLetters.list(DeadLetterFilter(), limit: 10).first)
        // Its neighbours spent nothing on it; it spent what it failed alone.
        let attempts = try fixture.session.deadLetters.attempts(of: letter.id)
        #expect(attempts.map(\.isSpent) == [false, true, true, true])
        let accepted = fixture.receiver.requests.filter { !$0.messageIDs.contains("m-5") }
        for sender in ["491", "492"] {
            let order = accepted.filter { $0.sender == sender }.flatMap(\.messageIDs)
            #expect(order == order.sorted())
        }
        #expect(Set(accepted.flatMap(\.messageIDs)).count == 8)
        #expect(try fixture.session.statistics().balances)
    }

    @Test func `a batch stays below its bytes`() throws {
        let fixture = try makeFixture { _ in .status(200) }
        fixture.settings.batchBytesMax = 1_024
        for number in 1...20 { try fixture.append(from: "49\(number)", "m-\(number)") }
        try fixture.start()
        #expect(try fixture.waitForDelivered(20))
        #expect(fixture.receiver.requests.allSatisfy { $0.body.count <= 1_024 })
        #expect(fixture.receiver.requests.contains { $0.messageIDs.count > 1 })
    }
}
