import Base
import TestSupport
import Testing

@testable import Queue

private let start = Timestamp(rawValue: 1_700_000_000_000)

@Suite struct ReplayDeliveredTests {
    private let actor = Actor(systemUser: "operator")

    /// Makes deliveries to these conversations and has PHP accept them, a second apart.
    private func deliver(
        _ session: QueueSession,
        _ conversations: [String],
        from cursor: Int64 = 0
    ) throws {
        let deliveries = conversations.enumerated().map { index, conversation in
            newDelivery("\(cursor + Int64(index))", to: [conversation], events: 2)
        }
        try session.forward.accept(
            ForwardSlice(to: cursor + Int64(conversations.count), deliveries), now: start)
        for index in conversations.indices {
            let due = try session.forward.claim(
                limit: 1, now: start + .seconds(86_400), excluding: [])
            try session.forward.settle(
                due.map { Settlement($0, .delivered, status: 200) },
                now: start + .seconds(Int(cursor) + index), closedTime: .zero)
        }
    }

    private func replayAll(
        _ session: QueueSession,
        _ range: Range<Timestamp>,
        now: Timestamp
    ) throws -> Int {
        var count = 0
        var cursor: DeliveryID? = DeliveryID.none
        while let at = cursor {
            let step = try session.forward.replayDelivered(range, after: at, by: actor, now: now)
            count += step.replayedCount
            cursor = step.next
        }
        return count
    }

    @Test func `what PHP accepted in the range is sent again, and nothing else`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try deliver(session, (0..<10).map { "c\($0)" })
        let range = start + .seconds(2)..<start + .seconds(5)
        #expect(try session.forward.deliveredCount(range) == 3)
        let now = start + .seconds(100)
        #expect(try replayAll(session, range, now: now) == 3)
        let due = try session.forward.claim(limit: 20, now: now, excluding: [])
        #expect(due.map { $0.envelope.key }.sorted() == ["2", "3", "4"])
        #expect(due.allSatisfy { $0.replayCount == 1 && $0.attemptCount == 0 })
        #expect(due.allSatisfy { $0.attemptTotal == 1 })
        let statistics = try session.statistics()
        #expect(statistics.count(.delivered) == 14)
        #expect(statistics.count(.waiting) == 6)
        #expect(statistics.count(.waitingDeliveries) == 3)
        #expect(statistics.balances)
        #expect(try session.forward.deliveredCount(range) == 0)
        #expect(try replayAll(session, range, now: now) == 0)
    }

    @Test func `a conversation is sent again in the order of its first arrival`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        // More than one transaction takes, in two conversations.
        let count = 250
        try deliver(session, (0..<count).map { "c\($0 % 2)" })
        let now = start + .seconds(1_000)
        #expect(try replayAll(session, start..<now, now: now) == count)
        var keys: [String: [Int]] = [:]
        while true {
            let due = try session.forward.claim(limit: 2, now: now, excluding: [])
            guard !due.isEmpty else { break }
            for delivery in due {
                keys[delivery.envelope.conversations[0], default: []].append(
                    Int(delivery.envelope.key) ?? -1)
            }
            try session.forward.settle(
                due.map { Settlement($0, .delivered, status: 200) }, now: now, closedTime: .zero)
        }
        #expect(keys["c0"] == (0..<count).filter { $0 % 2 == 0 })
        #expect(keys["c1"] == (0..<count).filter { $0 % 2 == 1 })
        #expect(try session.statistics().balances)
    }

    @Test func `what waits in the conversation stays in front of it`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try deliver(session, ["c"])
        try session.forward.accept(
            ForwardSlice(to: 2, [newDelivery("new", to: ["c"])]), now: start)
        let now = start + .seconds(10)
        #expect(try replayAll(session, start..<now, now: now) == 1)
        let due = try session.forward.claim(limit: 5, now: now, excluding: [])
        #expect(due.map { $0.envelope.key } == ["new"])
    }

    @Test func `dead letters are not met, and a gap in the ids is crossed`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try deliver(session, ["a"])
        try session.forward.accept(
            ForwardSlice(to: 2, [newDelivery("dead", to: ["b"])]), now: start)
        let due = try session.forward.claim(limit: 1, now: start, excluding: [])
        try session.forward.settle(
            due.map { Settlement($0, .dead(.refused(status: 400))) }, now: start, closedTime: .zero)
        // As if tens of thousands had been purged meanwhile.
        try session.change(
            "update sqlite_sequence set seq = 60000 where name = 'delivery'")
        try deliver(session, ["d"], from: 2)
        let now = start + .seconds(100)
        #expect(try replayAll(session, start..<now, now: now) == 2)
        #expect(try session.statistics().count(.deadLetters) == 1)
    }

    @Test func `each step is in the audit, once, with who did it`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try deliver(session, ["a", "b"])
        let now = start + .seconds(10)
        #expect(try replayAll(session, start..<now, now: now) == 2)
        let select = try session.connection.statement("select system_user, act, note from audit")
        defer { select.reset() }

        #expect(try select.step())
        #expect(select.text(0) == "operator")
        #expect(select.text(1) == "replay delivered")
        #expect(select.text(2).hasPrefix("2 delivered from 2023-11-14T22:13:20.000Z before"))
        #expect(try !select.step())
    }
}
