import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct ExaminationTests {
    /// What a bug or a hand in the file might do, and which question must notice.
    struct Breakage: CustomTestStringConvertible, Sendable {
        let sql: String
        let examination: Examination
        var testDescription: String { sql }

        static let all = [
            Breakage("delete from delivery_body where delivery_id = 1", .rows),
            Breakage("insert into delivery_body values (77, x'00')", .rows),
            Breakage("update delivery_body set body = x'00010203'", .rows),
            Breakage("insert into attempt values (77, 1, 1, 1, 'answered', 200, null, 1)", .rows),
            Breakage("delete from place where delivery_id = 2", .places),
            Breakage("insert into place values ('z', 1, 77)", .places),
            Breakage("update delivery set blocked_count = 0, due_at = 1 where id = 2", .places),
            Breakage("update counter set value = 1 where name = 'last_position'", .places),
            Breakage("update counter set value = value + 1 where name = 'waiting'", .books),
            Breakage("update counter set value = value - 1 where name = 'forward_found'", .books),
            Breakage("update counter set value = value + 1 where name = 'lake_found'", .books),
            Breakage("update counter set value = value + 1 where name = 'lake_sealed'", .books),
            Breakage("insert into counter values ('dead_letters', 9)", .books),
            Breakage("delete from webhook where id = 3", .log),
            Breakage("update consumer set cursor = 99 where name = 'lake'", .log),
            Breakage("delete from consumer where name = 'forward'", .log),
            Breakage("update sqlite_sequence set seq = 2 where name = 'webhook'", .log),
            Breakage("update seen set webhook_id = 99", .references),
            Breakage("update lake_batch set last_webhook_id = 99", .references),
        ]

        init(_ sql: String, _ examination: Examination) {
            self.sql = sql
            self.examination = examination
        }
    }

    private let now = Timestamp(rawValue: 1_700_000_100_000)

    /// A queue with rows of every kind: 4 webhooks, the lake has read 2, PHP's pool 1.
    private func filled() throws -> (QueueFixture, QueueSession) {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["one", "two", "three", "four"])
        let key = SeenKey(
            high: 1, low: 2, eventSeconds: nil, receivedAt: now, window: .seconds(100))
        try session.lake.recordSeen([(key, WebhookID(rawValue: 1))])
        try session.lake.seal(
            SealedBatch(
                objectName: "statuses/x", sha256: String(repeating: "0", count: 64), byteCount: 1,
                lineCount: 1, firstID: WebhookID(rawValue: 1), lastID: WebhookID(rawValue: 2),
                sealedAt: now),
            foundCount: 1, doubleCount: 0)
        let deliveries = [
            newDelivery("a1", to: ["a"]), newDelivery("a2", to: ["a"]),
            newDelivery("b1", to: ["b"]), newDelivery("ab", to: ["a", "b"]),
            newDelivery("c1", to: ["c"]),
        ]
        try session.forward.accept(ForwardSlice(to: 1, deliveries), now: now)
        let claimed = try session.forward.claim(limit: 9, now: now, excluding: [])
        let last = try #require(claimed.first { $0.envelope.key == "c1" })
        try session.forward.settle(
            [Settlement(last, .delivered, status: 200)], now: now, closedTime: .zero)
        return (queue, session)
    }

    @Test(arguments: Examination.allCases)
    func `a sound queue has no faults`(examination: Examination) throws {
        let (queue, session) = try filled()
        defer { withExtendedLifetime(queue) {} }

        #expect(try session.faults(of: examination) == [])
    }

    @Test(arguments: Breakage.all)
    func `what contradicts itself is found`(breakage: Breakage) throws {
        let (queue, session) = try filled()
        defer { withExtendedLifetime(queue) {} }

        try session.change(breakage.sql)
        let faults = try session.faults(of: breakage.examination)
        #expect(!faults.isEmpty)
    }

    @Test func `a copy is whole, and takes another queue id once it is worked with`() throws {
        let (queue, session) = try filled()
        let place = try TemporaryDirectory()
        let other = QueueLocation(path: place.file("queue.db"))
        try session.copyDatabase(into: other.path)
        try QueueCopy(path: other.path, access: .write).mark()
        let copy = try QueueCopy(path: other.path, access: .read)
        for examination in Examination.allCases {
            #expect(try copy.faults(of: examination) == [])
        }

        let gate = try QueueSession.openGate(other, as: .ingest)
        let restored = try QueueSession.open(other, gate: gate, as: .ingest)
        #expect(restored.queueID != session.queueID)
        #expect(try restored.bodies() == ["one", "two", "three", "four"])
        // Once is enough: its name is in lake objects from now on.
        let again = try QueueSession.open(other, gate: gate, as: .lake)
        #expect(again.queueID == restored.queueID)
        #expect(try again.connection.statement("pragma journal_mode").step())
        withExtendedLifetime(queue) {}
    }

    @Test func `a restored queue is in WAL mode again`() throws {
        let (queue, session) = try filled()
        let place = try TemporaryDirectory()
        let other = QueueLocation(path: place.file("queue.db"))
        try session.copyDatabase(into: other.path)
        try QueueCopy(path: other.path, access: .write).mark()
        let gate = try QueueSession.openGate(other, as: .ingest)
        let restored = try QueueSession.open(other, gate: gate, as: .ingest)
        let mode = try restored.connection.statement("pragma journal_mode")
        defer { mode.reset() }

        #expect(try mode.step())
        #expect(mode.text(0) == "wal")
        withExtendedLifetime(queue) {}
    }
}
