import Base

/// A batch as the books have it.
public struct BookedBatch: Sendable, Equatable {
    /// What was sealed.
    public let batch: SealedBatch
    /// When the lake had it; `nil` while its spool file is the only copy.
    public let shippedAt: Timestamp?
}

extension LakeBooks {
    /// Batches in the order of their objects' names, by which a lake is listed too.
    ///
    /// - Parameters:
    ///   - name: the names that follow it are returned; empty begins with the first.
    ///   - limit: 1 or more; one page is read in a few milliseconds.
    /// - Returns: fewer than `limit` at the end.
    /// - Throws: what every method of a session may throw.
    public func batches(
        namedAfter name: String,
        limit: Int = 1_000
    ) throws(QueueError) -> [BookedBatch] {
        let select = try connection.statement(.batchesByName)
        defer { select.reset() }

        select.bind(1, name)
        select.bind(2, limit)
        var batches: [BookedBatch] = []
        while try select.step() { batches.append(Self.bookedBatch(at: select)) }
        return batches
    }

    /// The batch whose object has this name; `nil` where none was sealed, or it is forgotten.
    public func batch(named name: String) throws(QueueError) -> BookedBatch? {
        let select = try connection.statement(.batchByName)
        defer { select.reset() }

        select.bind(1, name)
        return try select.step() ? Self.bookedBatch(at: select) : nil
    }

    /// The first webhook of the oldest batch that the books still have.
    ///
    /// Shipped batches are forgotten after some months: what lies before this one is not known.
    public func firstBookedWebhook() throws(QueueError) -> WebhookID? {
        try connection.scalar("select first_webhook_id from lake_batch order by id limit 1")
            .map { WebhookID(rawValue: $0) }
    }

    private static func bookedBatch(at row: Statement) -> BookedBatch {
        BookedBatch(
            batch: batch(at: row),
            shippedAt: row.optionalInt64(8).map(Timestamp.init(rawValue:)))
    }
}

extension SQL {
    static let batchesByName: SQL = """
        select id, object_name, sha256, byte_count, line_count, first_webhook_id,
          last_webhook_id, sealed_at, shipped_at
        from lake_batch where object_name > ?1 order by object_name limit ?2
        """

    static let batchByName: SQL = """
        select id, object_name, sha256, byte_count, line_count, first_webhook_id,
          last_webhook_id, sealed_at, shipped_at
        from lake_batch where object_name = ?1
        """
}
