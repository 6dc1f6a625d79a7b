import Base

/// The state of a queue at one moment, all of it from one snapshot.
public struct QueueStatistics: Sendable {
    /// One reader of the log.
    public struct ConsumerState: Sendable, Equatable {
        /// The last webhook it has read.
        public let cursor: WebhookID
        /// Webhooks that it has still to read.
        public let lag: Int
        /// When the oldest of them was received.
        public let oldestReceivedAt: Timestamp?
    }

    /// The dead letters of one reason.
    public struct DeadPile: Sendable, Equatable {
        /// How many.
        public let count: Int
        /// When the first of them was given up.
        public let oldestAt: Timestamp
    }

    /// The queue's identity, part of each object's name.
    public let queueID: String
    /// The version that the file was migrated to.
    public let schemaVersion: Int
    /// The last webhook that was ever appended: as many were acknowledged.
    public let lastID: WebhookID
    /// Webhooks that are still in the log.
    public let storedCount: Int
    /// The lake consumer.
    public let lake: ConsumerState
    /// The forward consumer.
    public let forward: ConsumerState
    /// Batches that are sealed and not in the lake yet.
    public let unshippedBatchCount: Int
    /// Statuses in them.
    public let unshippedLineCount: Int
    /// When the oldest of them was sealed.
    public let oldestUnshippedAt: Timestamp?
    /// When the webhook of the oldest waiting delivery was received.
    public let oldestWaitingAt: Timestamp?
    /// Waiting deliveries that have failed at least once.
    public let retryingCount: Int
    /// Dead letters by reason, ``DeadReason/name``; reasons that none has are not in it.
    public let deadByReason: [String: DeadPile]
    /// The books, as they stand.
    public let books: Books
    /// Pages of the database file.
    public let pageCount: Int
    /// Those of them that hold nothing.
    public let freePageCount: Int
    /// Size of a page.
    public let pageByteCount: Int

    /// When the oldest dead letter was given up.
    public var oldestDeadAt: Timestamp? { deadByReason.values.map(\.oldestAt).min() }

    /// A counter's value, 0 where it was never moved.
    public func count(_ name: CounterName) -> Int { books.count(name) }

    /// Whether every event that was found is in one of its places; ``Books/balances`` asks after
    /// the webhooks too.
    public var balances: Bool { books.eventDifferences.isEmpty }

    /// Bytes of the database file that hold something.
    public var usedByteCount: Int { (pageCount - freePageCount) * pageByteCount }
}

extension QueueSession {
    /// Reads the state of the queue on one snapshot; cheap whatever the backlog, except that dead
    /// letters and deliveries under retry are counted one by one.
    public func statistics() throws(QueueError) -> QueueStatistics {
        try connection.read { () throws(QueueError) in
            try readStatistics()
        }
    }

    private func readStatistics() throws(QueueError) -> QueueStatistics {
        let lastID = try log.lastID()
        let unshipped = try row(
            """
            select count(*), coalesce(sum(line_count), 0), min(sealed_at)
            from lake_batch where shipped_at is null
            """)
        return QueueStatistics(
            queueID: queueID,
            schemaVersion: Int(try value("select schema_version from queue") ?? 0),
            lastID: lastID,
            storedCount: try storedCount(),
            lake: try state(of: lake.cursor(), lastID: lastID),
            forward: try state(of: forward.cursor(), lastID: lastID),
            unshippedBatchCount: Int(unshipped[0] ?? 0),
            unshippedLineCount: Int(unshipped[1] ?? 0),
            oldestUnshippedAt: unshipped[2].map(Timestamp.init(rawValue:)),
            oldestWaitingAt: try value(.oldestWaiting).map(Timestamp.init(rawValue:)),
            retryingCount: Int(
                try value(
                    """
                    select count(*) from delivery
                    where due_at is not null and attempt_total > 0
                    """) ?? 0),
            deadByReason: try deadByReason(),
            books: try readBooks(),
            pageCount: Int(try value("pragma page_count") ?? 0),
            freePageCount: Int(try value("pragma freelist_count") ?? 0),
            pageByteCount: Int(try value("pragma page_size") ?? 0)
        )
    }

    /// Ids of the log have no gaps, so its ends tell its length without reading it.
    private func storedCount() throws(QueueError) -> Int {
        guard let first = try value("select min(id) from webhook"),
            let last = try value("select max(id) from webhook")
        else { return 0 }
        return Int(last - first + 1)
    }

    private func state(
        of cursor: WebhookID,
        lastID: WebhookID
    ) throws(QueueError) -> QueueStatistics.ConsumerState {
        QueueStatistics.ConsumerState(
            cursor: cursor,
            lag: max(0, Int(lastID.rawValue - cursor.rawValue)),
            oldestReceivedAt: try log.oldestReceivedAt(after: cursor)
        )
    }

    private func deadByReason() throws(QueueError) -> [String: QueueStatistics.DeadPile] {
        let select = try connection.statement(.deadByReason)
        defer { select.reset() }

        var piles: [String: QueueStatistics.DeadPile] = [:]
        while try select.step() {
            piles[select.text(0)] = QueueStatistics.DeadPile(
                count: select.int(1),
                oldestAt: Timestamp(rawValue: select.optionalInt64(2) ?? 0))
        }
        return piles
    }

    private func value(_ sql: SQL) throws(QueueError) -> Int64? {
        try connection.scalar(sql)
    }

    private func row(_ sql: SQL) throws(QueueError) -> [Int64?] {
        let select = try connection.statement(sql)
        defer { select.reset() }

        guard try select.step() else { return [nil, nil, nil] }
        return [select.optionalInt64(0), select.optionalInt64(1), select.optionalInt64(2)]
    }
}

extension SQL {
    static let deadByReason: SQL = """
        select reason, count(*), min(settled_at) from delivery
        where state = 'dead' group by reason
        """

    /// The first delivery in line overall; heads may be younger where their elders wait in turn.
    static let oldestWaiting: SQL = """
        select min(received_at) from delivery where due_at is not null
        """
}
