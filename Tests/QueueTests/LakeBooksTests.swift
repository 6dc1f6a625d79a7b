import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct LakeBooksTests {
    private let receivedAt = Timestamp(seconds: 1_700_000_000)

    private func key(_ low: UInt64, seconds: Int64? = 1_699_999_990) -> SeenKey {
        SeenKey(
            high: 7, low: low, eventSeconds: seconds, receivedAt: receivedAt,
            window: .seconds(8 * 86_400))
    }

    private func batch(_ name: String, lines: Int, to last: Int64) -> SealedBatch {
        SealedBatch(
            objectName: name, sha256: String(repeating: "0", count: 64), byteCount: 10,
            lineCount: lines, firstID: WebhookID(rawValue: 1), lastID: WebhookID(rawValue: last),
            sealedAt: receivedAt)
    }

    @Test func `a sealed batch is shipped once, and the books follow`() throws {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        try session.append(["1", "2"])
        try session.lake.seal(batch("x", lines: 2, to: 2), foundCount: 3, doubleCount: 1)
        #expect(try session.lake.cursor() == WebhookID(rawValue: 2))
        var statistics = try session.statistics()
        #expect(statistics.balances)
        #expect(statistics.unshippedLineCount == 2)
        let sealed = try #require(try session.lake.unshippedBatches().first)
        #expect(sealed.objectName == "x")
        #expect(try session.lake.isSealed(objectName: "x"))
        #expect(try !session.lake.isSealed(objectName: "y"))
        for _ in 0..<2 { try session.lake.markShipped(sealed, at: receivedAt) }
        statistics = try session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.lakeShipped) == 2)
        #expect(try session.lake.unshippedBatches().isEmpty)
    }

    @Test func `a batch is not sealed twice over the same webhooks`() throws {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        try session.append(["1", "2"])
        try session.lake.seal(batch("x", lines: 2, to: 2), foundCount: 2, doubleCount: 0)
        #expect {
            try session.lake.seal(batch("y", lines: 2, to: 2), foundCount: 2, doubleCount: 0)
        } throws: { error in
            if case QueueError.cursorMoved = error { true } else { false }
        }
        #expect(try session.lake.unshippedBatches().map(\.objectName) == ["x"])
        #expect(try session.statistics().balances)
    }

    @Test func `a key belongs to the first webhook that held it`() throws {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        let five = WebhookID(rawValue: 5)
        let three = WebhookID(rawValue: 3)
        try session.lake.recordSeen([(key(1), five), (key(2, seconds: nil), five)])
        try session.lake.recordSeen([
            (key(1), WebhookID(rawValue: 9)), (key(2, seconds: nil), three),
        ])
        #expect(
            try session.lake.holders(of: [key(1), key(2, seconds: nil), key(3)]) == [
                five, three, nil,
            ])
        #expect(try session.forward.holders(of: [key(1)]) == [nil])
    }

    @Test func `more keys than one slice holds are all stored`() throws {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        let keys = (0..<2_500).map { (key($0), WebhookID(rawValue: 1)) }
        try session.lake.recordSeen(keys)
        #expect(try session.lake.holders(of: keys.map(\.0)).allSatisfy { $0 != nil })
    }

    @Test(
        arguments: [
            (nil, 0), (-5, 0), (0, 0), (1_700_000_000 + 86_400, 1_700_000_000 + 86_400),
            (1_700_000_000 + 86_401, 0), (1_700_000_000 - 8 * 86_400, 1_700_000_000 - 8 * 86_400),
            (1_700_000_000 - 8 * 86_400 - 1, 0), (.max, 0), (.min, 0),
        ] as [(Int64?, Int64)])
    func `an event time that cannot be right is not used`(given: Int64?, used: Int64) {
        #expect(key(1, seconds: given).eventSeconds == used)
    }

    @Test func `keys expire by their window, but not before the webhooks that wait were read`()
        throws
    {
        let queue = try QueueFixture()
        let session = try queue.open(.lake)
        let window = Duration.seconds(8 * 86_400)
        let later = receivedAt + window + .seconds(100)
        try session.lake.recordSeen([
            (key(1), WebhookID(rawValue: 1)), (key(2, seconds: nil), WebhookID(rawValue: 1)),
        ])
        try session.append(["waiting"], receivedAt: receivedAt)
        #expect(try session.upkeep.expireSeen(window: window, now: later, limit: 100) == 0)
        try session.lake.advance(to: WebhookID(rawValue: 1), foundCount: 0, doubleCount: 0)
        try session.forward.accept(ForwardSlice(to: 1, []), now: receivedAt)
        #expect(try session.upkeep.expireSeen(window: window, now: receivedAt, limit: 100) == 0)
        #expect(try session.upkeep.expireSeen(window: window, now: later, limit: 100) == 2)
        #expect(try session.lake.holders(of: [key(1)]) == [nil])
    }
}
