import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct BooksTests {
    private static let now = Timestamp(rawValue: 1_700_000_000_000)
    private static let actor = Actor(systemUser: "test")

    /// A queue with two webhooks read by both consumers, one by the lake alone, and one by none.
    private func filled() throws -> (QueueFixture, QueueSession) {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        try session.append(["1", "2", "3", "4"])
        try session.lake.seal(batch(lines: 2, to: 3), foundCount: 3, doubleCount: 1)
        try session.forward.accept(
            ForwardSlice(to: 2, [newDelivery("a", to: ["x"], events: 2)]), now: Self.now)
        return (queue, session)
    }

    private func batch(lines: Int, to last: Int64) -> SealedBatch {
        SealedBatch(
            objectName: "object \(last)", sha256: "", byteCount: 1, lineCount: lines,
            firstID: WebhookID(rawValue: 1), lastID: WebhookID(rawValue: last),
            sealedAt: Self.now)
    }

    @Test func `they say where every webhook and every event is`() throws {
        let (_, session) = try filled()
        let books = try session.books()
        #expect(books.balances)
        #expect(books.acknowledgedCount == 4)
        #expect(books.lake == Books.Reading(readCount: 3, waitingCount: 1))
        #expect(books.forward == Books.Reading(readCount: 2, waitingCount: 2))
        #expect(books.readCount == 2 && books.waitingWebhookCount == 2)
        #expect(books.foundCount == 5 && books.sealedCount == 2 && books.doubleCount == 1)
        #expect(books.count(.waiting) == 2)
    }

    @Test func `purging changes none of them`() throws {
        let (_, session) = try filled()
        for delivery in try session.forward.claim(limit: 9, now: Self.now, excluding: []) {
            try session.forward.settle(
                [Settlement(delivery, .delivered)], now: Self.now, closedTime: .zero)
        }
        for batch in try session.lake.unshippedBatches() {
            try session.lake.markShipped(batch, at: Self.now)
        }
        let before = try session.books()
        let later = Self.now + .seconds(1_000_000)
        #expect(try session.upkeep.purgeLog(limit: 100) == 2)
        #expect(try session.upkeep.purgeDelivered(before: later, limit: 100) == 1)
        #expect(try session.upkeep.purgeShipped(before: later, limit: 100) == 1)
        #expect(try session.books() == before)
        #expect(before.balances)
    }

    @Test func `a webhook that is put back is no acknowledgement`() throws {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        try session.append(["{"])
        let stored = try #require(try session.log.webhook(WebhookID(rawValue: 1)))
        var slice = ForwardSlice(cursor: stored.id)
        slice.unreadable = [UnreadableWebhook(webhook: stored, key: "k", detail: "not JSON")]
        slice.foundCount = 1
        try session.forward.accept(slice, now: Self.now)
        let letter = try #require(try session.deadLetters.list(limit: 1).first)
        let again = try session.deadLetters.appendAgain(letter.id, by: Self.actor, now: Self.now)
        #expect(again == WebhookID(rawValue: 2))
        let books = try session.books()
        #expect(books.balances)
        #expect(books.appendedCount == 2 && books.acknowledgedCount == 1)
    }

    /// What a lost row, a lost batch, or a counter that moved alone would look like.
    @Test(arguments: [
        ("delete from webhook where id = 4", "1 webhooks for the lake are nowhere"),
        ("update counter set value = 9 where name = 'lake_found'", "6 statuses are nowhere"),
        ("delete from lake_batch", "2 sealed statuses are nowhere"),
        (
            "update counter set value = 3 where name = 'waiting'",
            "1 events for PHP are there too often"
        ),
    ])
    func `a loss shows, by name and number`(sql: String, sentence: String) throws {
        let (_, session) = try filled()
        try session.change(sql)
        let books = try session.books()
        #expect(!books.balances)
        #expect(books.differences.first?.description == sentence)
    }

    @Test func `a commit outside the gate is refused and rolled back`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        #expect(throws: QueueError.self) {
            try session.connection.execute("insert into counter values ('stray', 1)")
        }
        #expect(throws: QueueError.self) {
            try session.connection.writeHoldingGate { () throws(QueueError) in
                try session.connection.execute("insert into counter values ('stray', 1)")
            }
        }
        let count = try session.connection.scalar(
            "select count(*) from counter where name = 'stray'")
        #expect(count == 0)
        try session.append(["goes on"])
    }
}
