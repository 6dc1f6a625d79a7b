import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct ForwardBooksTests {
    private let now = Timestamp(rawValue: 1_700_000_100_000)

    private func claim(_ session: QueueSession, at moment: Timestamp? = nil) throws -> [Delivery] {
        try session.forward.claim(limit: 100, now: moment ?? now, excluding: [])
    }

    private func settle(_ session: QueueSession, _ settlements: [Settlement]) throws {
        try session.forward.settle(settlements, now: now, closedTime: .seconds(5))
        #expect(try session.statistics().balances)
    }

    private func sessionWith(_ deliveries: [NewDelivery]) throws -> (QueueFixture, QueueSession) {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["webhook"])
        try session.forward.accept(ForwardSlice(to: 1, deliveries), now: now)
        #expect(try session.statistics().balances)
        return (queue, session)
    }

    @Test func `only the first of each conversation is claimed, and the next when it is settled`()
        throws
    {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"]), newDelivery("a2", to: ["a"]),
            newDelivery("b1", to: ["b"]), newDelivery("a3", to: ["a"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        let first = try claim(session)
        #expect(first.map(\.envelope.key) == ["a1", "b1"])
        #expect(first.map(\.body) == [Array("a1".utf8), Array("b1".utf8)])
        try settle(session, [Settlement(first[0], .delivered, status: 200)])
        #expect(Set(try claim(session).map(\.envelope.key)) == ["b1", "a2"])
    }

    @Test func `what is under way is not claimed twice`() throws {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"]), newDelivery("b1", to: ["b"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        let first = try session.forward.claim(limit: 1, now: now, excluding: [])
        let second = try session.forward.claim(
            limit: 1, now: now, excluding: Set(first.map(\.id)))
        #expect(first.map(\.envelope.key) == ["a1"])
        #expect(second.map(\.envelope.key) == ["b1"])
        let both = Set((first + second).map(\.id))
        #expect(try session.forward.claim(limit: 1, now: now, excluding: both).isEmpty)
        #expect(try session.forward.nextDue(excluding: both) == nil)
    }

    @Test func `a retry keeps its turn, and nobody overtakes it`() throws {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"]), newDelivery("a2", to: ["a"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        let later = now + .seconds(9)
        try settle(session, [Settlement(try claim(session)[0], .retry(at: later))])
        #expect(try claim(session).isEmpty)
        #expect(try session.forward.nextDue(excluding: []) == later)
        let again = try claim(session, at: later)
        #expect(again.map(\.envelope.key) == ["a1"])
        #expect(again[0].attemptCount == 1)
        #expect(again[0].attemptTotal == 1)
        #expect(again[0].ageStarted == .seconds(5))
    }

    @Test func `an attempt that spends nothing leaves budget and age alone`() throws {
        let (queue, session) = try sessionWith([newDelivery("a1", to: ["a"])])
        defer { withExtendedLifetime(queue) {} }

        try settle(session, [Settlement(try claim(session)[0], .retry(at: now), isSpent: false)])
        let again = try claim(session)[0]
        #expect(again.attemptCount == 0)
        #expect(again.attemptTotal == 1)
        #expect(again.ageStarted == nil)
    }

    @Test func `a dead letter lets its conversation go on, and returns to its end when replayed`()
        throws
    {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"], events: 3), newDelivery("a2", to: ["a"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        let dead = try claim(session)[0]
        try settle(session, [Settlement(dead, .dead(.refused(status: 400)), status: 400)])
        #expect(try claim(session).map(\.envelope.key) == ["a2"])
        let shown = try #require(try session.deadLetters.show(dead.id))
        #expect(shown.letter.reason == "refused")
        #expect(shown.letter.status == 400)
        #expect(shown.body == Array("a1".utf8))
        #expect(shown.attempts.map(\.status) == [400])
        #expect(shown.attempts.map(\.answer) == [Array("no".utf8)])

        let actor = Actor(systemUser: "tester")
        #expect(try session.deadLetters.replay([dead.id, dead.id], by: actor, now: now) == 1)
        #expect(try session.statistics().balances)
        #expect(try claim(session).map(\.envelope.key) == ["a2"])
        try settle(session, [Settlement(try claim(session)[0], .delivered)])
        let again = try claim(session)[0]
        #expect(again.id == dead.id)
        #expect(again.envelope.key == "a1")
        #expect(again.replayCount == 1)
        #expect(again.attemptCount == 0)
        #expect(again.attemptTotal == 1)
        try settle(session, [Settlement(again, .delivered, status: 200)])
        #expect(try session.deadLetters.count() == 0)
        #expect(try session.statistics().count(.delivered) == 4)
        #expect(try session.deadLetters.attempts(of: dead.id).map(\.status) == [400, 200])
    }

    @Test func `a verdict on a delivery that was replayed meanwhile is left aside`() throws {
        let (queue, session) = try sessionWith([newDelivery("a1", to: ["a"])])
        defer { withExtendedLifetime(queue) {} }

        let held = try claim(session)[0]
        try settle(session, [Settlement(held, .dead(.tooOld(status: nil)))])
        let actor = Actor(systemUser: "tester")
        #expect(try session.deadLetters.replay([held.id], by: actor, now: now) == 1)
        try settle(session, [Settlement(held, .delivered)])
        #expect(try claim(session).map(\.id) == [held.id])
    }

    @Test func `a discarded dead letter is gone, counted and audited`() throws {
        let (queue, session) = try sessionWith([newDelivery("a1", to: ["a"])])
        defer { withExtendedLifetime(queue) {} }

        let dead = try claim(session)[0]
        try settle(session, [Settlement(dead, .dead(.attemptsSpent(status: 503)))])
        let count = try session.deadLetters.discard(
            [dead.id], because: "test message", by: Actor(systemUser: "tester"), now: now)
        #expect(count == 1)
        #expect(try session.deadLetters.show(dead.id) == nil)
        let statistics = try session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.discarded) == 1)
        #expect(
            try session.connection.scalar(
                "select count(*) from audit where act = 'discard' and note = 'test message'") == 1)
        #expect(try session.connection.scalar("select count(*) from delivery_body") == 0)
        #expect(try session.connection.scalar("select count(*) from attempt") == 0)
    }

    @Test func `a delivery of several conversations waits for all of them and holds all of them`()
        throws
    {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"]), newDelivery("b1", to: ["b"]),
            newDelivery("ab", to: ["a", "b"]), newDelivery("b2", to: ["b"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        var order: [[String]] = []
        while case let due = try claim(session), !due.isEmpty {
            order.append(due.map(\.envelope.key))
            try settle(session, [Settlement(due[0], .delivered)])
        }
        #expect(order == [["a1", "b1"], ["b1"], ["ab"], ["b2"]])
    }

    @Test
    func `an unreadable webhook becomes one dead letter with its bytes, and can be read again`()
        throws
    {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["{not json"])
        let webhook = try #require(try session.log.webhook(WebhookID(rawValue: 1)))
        var slice = ForwardSlice(cursor: webhook.id)
        slice.unreadable = [UnreadableWebhook(webhook: webhook, key: "k", detail: "no JSON")]
        slice.foundCount = 1
        try session.forward.accept(slice, now: now)
        let letter = try #require(try session.deadLetters.list(limit: 10).first)
        #expect(letter.reason == "unparseable")
        #expect(try session.deadLetters.show(letter.id)?.body == Array("{not json".utf8))
        #expect(try session.statistics().balances)

        let actor = Actor(systemUser: "tester")
        let again = try session.deadLetters.appendAgain(letter.id, by: actor, now: now)
        #expect(again == WebhookID(rawValue: 2))
        #expect(try session.bodies() == ["{not json", "{not json"])
        let statistics = try session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.deadLetters) == 0)
    }

    @Test func `two pools cannot store the same webhooks twice`() throws {
        let (queue, session) = try sessionWith([newDelivery("a1", to: ["a"])])
        defer { withExtendedLifetime(queue) {} }

        #expect {
            try session.forward.accept(
                ForwardSlice(to: 1, [newDelivery("a1", to: ["a"])]), now: now)
        } throws: { error in
            if case QueueError.cursorMoved = error { true } else { false }
        }
        #expect(try claim(session).count == 1)
        #expect(try session.statistics().balances)
    }

    @Test func `delivered messages are purged by age, with all that belongs to them`() throws {
        let (queue, session) = try sessionWith([
            newDelivery("a1", to: ["a"]), newDelivery("a2", to: ["a"]),
        ])
        defer { withExtendedLifetime(queue) {} }

        try settle(session, [Settlement(try claim(session)[0], .delivered)])
        #expect(try session.upkeep.purgeDelivered(before: now, limit: 10) == 0)
        #expect(try session.upkeep.purgeDelivered(before: now + .milliseconds(1), limit: 10) == 1)
        #expect(try session.connection.scalar("select count(*) from delivery_body") == 1)
        #expect(try session.connection.scalar("select count(*) from attempt") == 0)
        #expect(try session.statistics().balances)
        #expect(try claim(session).map(\.envelope.key) == ["a2"])
    }
}
