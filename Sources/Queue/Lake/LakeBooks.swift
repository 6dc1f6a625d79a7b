import Base

/// Statuses that were sealed into one object: written once, shipped until the lake has it.
public struct SealedBatch: Sendable, Equatable {
    /// Assigned by the queue when the batch is sealed; `nil` before.
    public let id: BatchID?
    /// The object's full name in the lake, `statuses/dt=…/hour=…/….ndjson.gz`.
    public let objectName: String
    /// Of the object's bytes, 64 lower-case hex digits.
    public let sha256: String
    /// Size of the object, compressed where it is.
    public let byteCount: Int
    /// Statuses in it, 1 or more.
    public let lineCount: Int
    /// The first webhook that gave a line.
    public let firstID: WebhookID
    /// The last webhook that was read for it.
    public let lastID: WebhookID
    /// When its seal was stored.
    public let sealedAt: Timestamp

    /// Describes a batch, before it is sealed where `id` is `nil`.
    public init(
        id: BatchID? = nil,
        objectName: String,
        sha256: String,
        byteCount: Int,
        lineCount: Int,
        firstID: WebhookID,
        lastID: WebhookID,
        sealedAt: Timestamp
    ) {
        self.id = id
        self.objectName = objectName
        self.sha256 = sha256
        self.byteCount = byteCount
        self.lineCount = lineCount
        self.firstID = firstID
        self.lastID = lastID
        self.sealedAt = sealedAt
    }
}

/// What the lake consumer stores: the keys it met, the batches it sealed, and how far it has read.
public struct LakeBooks {
    let connection: Connection

    private var cursorRow: Cursor { Cursor(connection: connection, consumer: .lake) }
    private var counters: Counters { Counters(connection: connection) }
    private var keys: SeenKeys { SeenKeys(connection: connection, consumer: .lake) }

    /// Keys of one slice: a thousand inserts hold the gate for a few milliseconds.
    private static let sliceCount = 1_000

    /// The last webhook whose statuses are sealed.
    public func cursor() throws(QueueError) -> WebhookID { try cursorRow.position() }

    /// For each key, the webhook that first held it, or `nil` where it is new.
    ///
    /// Cheapest with sorted keys. A double is a key whose holder is *before* the webhook at hand; a
    /// holder at or behind it was left by a run that crashed.
    public func holders(of keys: [SeenKey]) throws(QueueError) -> [WebhookID?] {
        // One snapshot for all of them: each look of its own would lock and unlock the file.
        try connection.read { () throws(QueueError) in
            try self.keys.holders(of: keys)
        }
    }

    /// Stores the keys of a batch that is about to be sealed, in slices of their own.
    ///
    /// A crash before the seal leaves keys that belong to webhooks behind the cursor; those are
    /// read again, and a key is no double of itself.
    public func recordSeen(_ keys: [(SeenKey, WebhookID)]) throws(QueueError) {
        var rest = keys[...]
        while !rest.isEmpty {
            let slice = rest.prefix(Self.sliceCount)
            // Losing a slice is harmless, and the seal's sync covers all that came before it.
            try connection.writeUnsynced { () throws(QueueError) in
                try self.keys.insert(slice)
            }
            rest = rest.dropFirst(slice.count)
        }
    }

    /// Records a batch whose object is safe in the spool; from here on it will be shipped.
    ///
    /// Its keys were stored by ``recordSeen(_:)``. Blocks for one sync.
    ///
    /// - Parameters:
    ///   - batch: `lastID` is where the cursor moves to.
    ///   - foundCount: statuses in the webhooks behind the cursor, doubles included.
    ///   - doubleCount: those that were met before.
    /// - Throws: ``QueueError/cursorMoved(consumer:)``.
    public func seal(
        _ batch: SealedBatch,
        foundCount: Int,
        doubleCount: Int
    ) throws(QueueError) {
        precondition(foundCount == doubleCount + batch.lineCount, "the books must balance")
        try connection.write { () throws(QueueError) in
            let insert = try connection.statement(.insertBatch)
            insert.bind(1, batch.objectName)
            insert.bind(2, batch.sha256)
            insert.bind(3, batch.byteCount)
            insert.bind(4, batch.lineCount)
            insert.bind(5, batch.firstID.rawValue)
            insert.bind(6, batch.lastID.rawValue)
            insert.bind(7, batch.sealedAt.rawValue)
            try insert.run()
            try count(found: foundCount, doubles: doubleCount)
            try counters.add(batch.lineCount, to: .lakeSealed)
            try cursorRow.advance(to: batch.lastID)
        }
    }

    /// Moves the cursor past webhooks that gave no new status.
    ///
    /// - Throws: ``QueueError/cursorMoved(consumer:)``.
    public func advance(
        to id: WebhookID,
        foundCount: Int,
        doubleCount: Int
    ) throws(QueueError) {
        precondition(foundCount == doubleCount, "a new status must be sealed")
        try connection.write { () throws(QueueError) in
            try count(found: foundCount, doubles: doubleCount)
            try cursorRow.advance(to: id)
        }
    }

    /// Batches that the lake does not hold yet, oldest first.
    ///
    /// - Parameters:
    ///   - last: where the look before this one ended; `nil` begins with the oldest.
    ///   - limit: 1 or more.
    /// - Returns: none where the lake holds all that was sealed.
    /// - Throws: what every method of a session may throw.
    public func unshippedBatches(
        after last: BatchID? = nil,
        limit: Int = 100
    ) throws(QueueError) -> [SealedBatch] {
        let select = try connection.statement(.unshippedBatches)
        defer { select.reset() }

        select.bind(1, limit)
        select.bind(2, last?.rawValue ?? 0)
        var batches: [SealedBatch] = []
        while try select.step() { batches.append(Self.batch(at: select)) }
        return batches
    }

    /// Whether a batch with this object name was ever sealed: tells an orphan spool file.
    public func isSealed(objectName: String) throws(QueueError) -> Bool {
        let select = try connection.statement("select 1 from lake_batch where object_name = ?1")
        defer { select.reset() }

        select.bind(1, objectName)
        return try select.step()
    }

    /// Whether a batch with this object name is sealed and not shipped: its spool file is needed.
    public func isUnshipped(objectName: String) throws(QueueError) -> Bool {
        let select = try connection.statement(
            "select 1 from lake_batch where object_name = ?1 and shipped_at is null")
        defer { select.reset() }

        select.bind(1, objectName)
        return try select.step()
    }

    /// How many batches are sealed and not shipped.
    public func unshippedCount() throws(QueueError) -> Int {
        Int(
            try connection.scalar("select count(*) from lake_batch where shipped_at is null") ?? 0)
    }

    /// Records that the lake holds a batch; nothing changes where that is known already.
    public func markShipped(_ batch: SealedBatch, at now: Timestamp) throws(QueueError) {
        guard let id = batch.id else { preconditionFailure("only a sealed batch is shipped") }
        try connection.write { () throws(QueueError) in
            let update = try connection.statement(
                "update lake_batch set shipped_at = ?2 where id = ?1 and shipped_at is null")
            update.bind(1, id.rawValue)
            update.bind(2, now.rawValue)
            try update.run()
            if connection.changeCount == 1 {
                try counters.add(batch.lineCount, to: .lakeShipped)
            }
        }
    }

    /// Lines at the front of a batch that a lake without names has taken; 0 for a batch that is
    /// new.
    public func sentLineCount(objectName: String) throws(QueueError) -> Int {
        let select = try connection.statement(
            "select sent_line_count from lake_batch where object_name = ?1")
        defer { select.reset() }

        select.bind(1, objectName)
        return try select.step() ? select.int(0) : 0
    }

    /// Records how many lines of a batch a lake without names has taken.
    ///
    /// Not synced by itself: a power cut sends a request again, as a crash before this does.
    public func markSent(objectName: String, lineCount: Int) throws(QueueError) {
        try connection.writeUnsynced { () throws(QueueError) in
            let update = try connection.statement(
                "update lake_batch set sent_line_count = ?2 where object_name = ?1")
            update.bind(1, objectName)
            update.bind(2, lineCount)
            try update.run()
        }
    }

    private func count(found: Int, doubles: Int) throws(QueueError) {
        try counters.add(found, to: .lakeFound)
        try counters.add(doubles, to: .lakeDoubles)
    }

    static func batch(at row: Statement) -> SealedBatch {
        SealedBatch(
            id: BatchID(rawValue: row.int64(0)),
            objectName: row.text(1),
            sha256: row.text(2),
            byteCount: row.int(3),
            lineCount: row.int(4),
            firstID: WebhookID(rawValue: row.int64(5)),
            lastID: WebhookID(rawValue: row.int64(6)),
            sealedAt: Timestamp(rawValue: row.int64(7))
        )
    }
}

extension SQL {
    static let insertBatch: SQL = """
        insert into lake_batch (object_name, sha256, byte_count, line_count,
          first_webhook_id, last_webhook_id, sealed_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """

    static let unshippedBatches: SQL = """
        select id, object_name, sha256, byte_count, line_count, first_webhook_id,
          last_webhook_id, sealed_at
        from lake_batch where shipped_at is null and id > ?2 order by id limit ?1
        """
}
