import Base
import TestSupport
import Testing

@testable import Queue

/// What a claim costs does not depend on how many deliveries wait.
@Suite struct ClaimCostTests {
    private let now = Timestamp(rawValue: 1_700_000_100_000)

    private func plan(of sql: SQL, _ session: QueueSession) throws -> [String] {
        let explain = try session.connection.statement(
            SQL(text: "explain query plan " + sql.text))
        defer { explain.reset() }

        var lines: [String] = []
        while try explain.step() { lines.append(explain.text(3)) }
        return lines
    }

    @Test func `each query on the way of a delivery searches an index, and sorts nothing`() throws {
        let session = try QueueFixture().open()
        let queries: [SQL] = [.dueIDs, .nextDue, .claimed, .followers]
        for sql in queries {
            let plan = try plan(of: sql, session)
            #expect(!plan.isEmpty)
            for line in plan {
                #expect(!line.contains("SCAN"), "\(line) in \(sql.text)")
                #expect(!line.contains("TEMP B-TREE"), "\(line) in \(sql.text)")
            }
        }
        #expect(try plan(of: .dueIDs, session).contains { $0.contains("COVERING INDEX") })
    }

    /// Steps of one claim of eight, with so many conversations waiting and some under way.
    private func steps(waiting count: Int) throws -> (due: Int, next: Int, followers: Int) {
        let session = try QueueFixture().open()
        var cursor: Int64 = 0
        for start in stride(from: 0, to: count, by: 500) {
            cursor += 1
            try session.forward.accept(
                ForwardSlice(
                    to: cursor,
                    (start..<min(start + 500, count)).map {
                        // Every third of one long conversation, the others of one each.
                        newDelivery("d\($0)", to: [$0 % 3 == 0 ? "long" : "c\($0)"])
                    }), now: now)
        }
        // Heads that wait for a retry, far ahead of those that are due.
        let heads = try session.forward.claim(limit: 20, now: now, excluding: [])
        try session.forward.settle(
            heads.map { Settlement($0, .retry(at: now + .seconds(600))) }, now: now,
            closedTime: .zero)
        let inFlight = Set(
            try session.forward.claim(limit: 8, now: now, excluding: []).map(\.id))
        for sql in [SQL.dueIDs, .nextDue, .followers] {
            _ = try session.connection.statement(sql).takeStepCount()
        }
        #expect(try session.forward.claim(limit: 8, now: now, excluding: inFlight).count == 8)
        _ = try session.forward.nextDue(excluding: inFlight)
        _ = try session.forward.followers(of: heads[0], limit: 8)
        return (
            try session.connection.statement(.dueIDs).takeStepCount(),
            try session.connection.statement(.nextDue).takeStepCount(),
            try session.connection.statement(.followers).takeStepCount()
        )
    }

    @Test func `a claim takes as many steps with a hundred deliveries waiting as with many`() throws
    {
        let few = try steps(waiting: 100)
        let many = try steps(waiting: EnvironmentNumber.read("CLAIM_DELIVERIES", otherwise: 6_000))
        #expect(few.due > 0 && few == many, "\(few), \(many)")
    }

    @Test func `each destination claims its own, in order, and no other's`() throws {
        let session = try QueueFixture().open()
        try session.forward.know(["crm"])
        var routed = newDelivery("a1", to: ["a"])
        routed.destination = "crm"
        try session.forward.accept(
            ForwardSlice(to: 1, [routed, newDelivery("b1", to: ["b"])]), now: now)
        let crm = try session.forward.claim(limit: 9, now: now, excluding: [], at: "crm")
        #expect(crm.map(\.envelope.key) == ["a1"])
        #expect(
            try session.forward.claim(limit: 9, now: now, excluding: []).map(\.envelope.key)
                == ["b1"])
        #expect(try session.forward.nextDue(excluding: [], at: "crm") == now)
        try session.forward.settle(
            [Settlement(crm[0], .retry(at: now + .seconds(1)))], now: now,
            closedTime: .seconds(7), at: "crm")
        #expect(try session.forward.closedTime(of: "crm") == .seconds(7))
        #expect(try session.forward.closedTime() == .zero)
        #expect(try session.forward.destinations() == ["crm"])
    }

    @Test func `a route's dead letter is counted and waits for nobody`() throws {
        let session = try QueueFixture().open()
        var dead = newDelivery("a1", to: ["a"], events: 2)
        dead.isDead = true
        try session.forward.accept(
            ForwardSlice(to: 1, [dead, newDelivery("a2", to: ["a"])]), now: now)
        let statistics = try session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.dead) == 2)
        #expect(statistics.count(.deadLetters) == 1)
        #expect(statistics.count(.waiting) == 1)
        #expect(
            try session.forward.claim(limit: 9, now: now, excluding: []).map(\.envelope.key)
                == ["a2"])
        let letter = try #require(
            try session.deadLetters.list(DeadLetterFilter(), limit: 1).first)
        let count = try session.deadLetters.replay(
            [letter.id], by: Actor(systemUser: "test"), now: now)
        #expect(count == 1)
        #expect(try session.statistics().balances)
    }
}
