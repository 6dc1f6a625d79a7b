import Base
import TestSupport
import Testing

@testable import Queue

private let start = Timestamp(rawValue: 1_700_000_000_000)

/// A few dead letters beside millions of deliveries are found without reading those.
@Suite struct DeadLetterPlanTests {
    private func plan(_ sql: SQL, in session: QueueSession) throws -> String {
        let select = try session.connection.statement(SQL(text: "explain query plan " + sql.text))
        defer { select.reset() }

        var lines: [String] = []
        while try select.step() { lines.append(select.text(3)) }
        return lines.joined(separator: "; ")
    }

    @Test func `a page of dead letters is read from their index, in its order`() throws {
        let session = try QueueFixture().open()
        let plan = try plan(.listDead, in: session)
        #expect(plan.contains("delivery_dead_idx"), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }

    @Test func `their count and age by reason are read from an index alone`() throws {
        let session = try QueueFixture().open()
        let plan = try plan(.deadByReason, in: session)
        #expect(plan.contains("COVERING INDEX delivery_reason_idx"), "\(plan)")
    }

    @Test func `what an edit replaced goes with the letter`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try session.forward.accept(ForwardSlice(to: 1, [newDelivery("a", to: ["a"])]), now: start)
        let due = try session.forward.claim(limit: 1, now: start, excluding: [])
        try session.forward.settle(
            due.map { Settlement($0, .dead(.refused(status: 400))) }, now: start, closedTime: .zero)
        let id = try #require(due.first).id
        let edit = DeadLetterEdit(
            body: [1], signature256: "sha256=11", signature1: "sha1=11",
            secretFingerprint: "secret", place: nil)
        let outcome = try session.deadLetters.replaceBody(
            of: id, seen: Array("a".utf8), with: edit, by: Actor(systemUser: "x"), now: start)
        #expect(outcome == .edited(number: 1))
        #expect(try session.deadLetters.replacedBodies(of: id).map(\.body) == [Array("a".utf8)])
        let count = try session.deadLetters.discard(
            [id], because: nil, by: Actor(systemUser: "x"), now: start)
        #expect(count == 1)
        #expect(try session.connection.scalar("select count(*) from replaced_body") == 0)
    }
}
