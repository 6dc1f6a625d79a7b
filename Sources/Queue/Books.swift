/// The books of a queue at one moment: where everything is that was acknowledged or found.
///
/// They balance in every committed state, whatever was killed before it:
///
///     webhooks   acknowledged = read by both consumers + waiting for one of them
///     events     found = in the lake + sealed + doubles + delivered + dead + discarded + dropped
///                        + erased + waiting
///
/// A counter changes in the transaction that moves what it counts, and purging changes none.
/// docs/RELIABILITY.md says what each line holds. `integrity_check` sees none of this: a file may
/// be sound and have lost a row.
public struct Books: Sendable, Equatable {
    /// What one consumer has read of the log, in webhooks.
    public struct Reading: Sendable, Equatable {
        /// Up to its cursor, those that were purged since included.
        public let readCount: Int
        /// Rows of the log behind its cursor, told from the log's two ends.
        public let waitingCount: Int
    }

    /// What ought to be equal and is not.
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        /// What is counted.
        public let subject: String
        /// How many are nowhere; below zero, how many are there too often.
        public let missingCount: Int

        /// One sentence without values of rows.
        public var description: String {
            missingCount > 0
                ? "\(missingCount) \(subject) are nowhere"
                : "\(-missingCount) \(subject) are there too often"
        }
    }

    /// Webhooks that were ever appended to the log.
    public let appendedCount: Int
    /// The lake consumer's reading.
    public let lake: Reading
    /// The forward consumer's reading.
    public let forward: Reading
    /// Lines of batches that are sealed and that the lake does not hold yet.
    public let sealedCount: Int
    private let counters: [CounterName: Int64]

    init(
        appendedCount: Int,
        lake: Reading,
        forward: Reading,
        sealedCount: Int,
        counters: [CounterName: Int64]
    ) {
        self.appendedCount = appendedCount
        self.lake = lake
        self.forward = forward
        self.sealedCount = sealedCount
        self.counters = counters
    }

    /// A counter's value, 0 where it was never moved.
    public func count(_ name: CounterName) -> Int { Int(counters[name] ?? 0) }

    // MARK: Webhooks

    /// Webhooks that ingest has answered 200, or would have but for a crash in between.
    public var acknowledgedCount: Int { appendedCount - count(.rereadWebhooks) }
    /// Webhooks that both consumers have read.
    public var readCount: Int { min(lake.readCount, forward.readCount) }
    /// Webhooks that one consumer at least has still to read.
    public var waitingWebhookCount: Int { max(lake.waitingCount, forward.waitingCount) }

    // MARK: Events

    /// Statuses and events for PHP that the consumers found in what they have read.
    public var foundCount: Int { count(.lakeFound) + count(.forwardFound) }
    /// Events that were met before.
    public var doubleCount: Int { count(.lakeDoubles) + count(.forwardDoubles) }
    /// Events that a person had removed.
    public var erasedCount: Int { count(.lakeErased) + count(.erased) }

    // MARK: Balance

    /// Whether everything is where the books say.
    public var balances: Bool { differences.isEmpty }

    /// Each equation that does not hold, none in a queue that has lost nothing.
    public var differences: [Difference] { webhookDifferences + eventDifferences }

    private var webhookDifferences: [Difference] {
        Self.differences([
            ("webhooks for the lake", appendedCount - lake.readCount - lake.waitingCount),
            ("webhooks for PHP", appendedCount - forward.readCount - forward.waitingCount),
        ])
    }

    var eventDifferences: [Difference] {
        Self.differences([
            (
                "statuses",
                count(.lakeFound) - count(.lakeDoubles) - count(.lakeErased) - count(.lakeSealed)
            ),
            ("sealed statuses", count(.lakeSealed) - count(.lakeShipped) - sealedCount),
            (
                "events for PHP",
                count(.forwardFound) - Self.places.reduce(0) { $0 + count($1) }
            ),
        ])
    }

    private static func differences(_ lines: [(String, Int)]) -> [Difference] {
        lines.filter { $0.1 != 0 }.map { Difference(subject: $0.0, missingCount: $0.1) }
    }

    /// Where an event for PHP can be, once it is found.
    private static let places: [CounterName] = [
        .forwardDoubles, .waiting, .delivered, .dead, .discarded, .dropped, .erased,
    ]
}

extension QueueSession {
    /// Reads the books on one snapshot; cheap whatever the backlog.
    public func books() throws(QueueError) -> Books {
        try connection.read { () throws(QueueError) in try readBooks() }
    }

    /// As ``books()``, inside the caller's read transaction.
    func readBooks() throws(QueueError) -> Books {
        let first = try connection.scalar("select min(id) from webhook")
        let last = try connection.scalar("select max(id) from webhook")
        return Books(
            appendedCount: Int(try log.lastID().rawValue),
            lake: Self.reading(try lake.cursor(), first: first, last: last),
            forward: Self.reading(try forward.cursor(), first: first, last: last),
            sealedCount: Int(try connection.scalar(.unshippedLines) ?? 0),
            counters: try Counters(connection: connection).all())
    }

    /// Ids of the log have no gaps, so its ends tell its length without reading it.
    private static func reading(
        _ cursor: WebhookID,
        first: Int64?,
        last: Int64?
    ) -> Books.Reading {
        guard let first, let last else {
            return Books.Reading(readCount: Int(cursor.rawValue), waitingCount: 0)
        }
        let before = max(cursor.rawValue, first - 1)
        return Books.Reading(
            readCount: Int(cursor.rawValue), waitingCount: max(0, Int(last - before)))
    }
}

extension SQL {
    static let unshippedLines: SQL =
        "select coalesce(sum(line_count), 0) from lake_batch where shipped_at is null"
}
