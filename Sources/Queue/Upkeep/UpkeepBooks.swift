import Base

/// Removes what nobody needs any more, in slices that hold the gate for a few milliseconds each.
///
/// Purging changes no counter: the books count what happened, not what is kept.
public struct UpkeepBooks {
    let connection: Connection

    /// Deletes webhooks that both consumers have read, oldest first.
    ///
    /// - Parameter limit: rows of one slice, 1 or more.
    /// - Returns: how many were deleted; fewer than `limit` when there are no more.
    /// - Throws: what every method of a session may throw.
    public func purgeLog(limit: Int) throws(QueueError) -> Int {
        let cut = try connection.scalar("select min(cursor) from consumer") ?? 0
        guard let first = try connection.scalar("select min(id) from webhook"), first <= cut else {
            return 0
        }
        return try connection.write { () throws(QueueError) in
            let delete = try connection.statement("delete from webhook where id between ?1 and ?2")
            delete.bind(1, first)
            delete.bind(2, min(cut, first + Int64(limit) - 1))
            try delete.run()
            let count = connection.changeCount
            CrashPoint.reached(.insidePurgeLog)
            return count
        }
    }

    /// Deletes deliveries that PHP accepted before `moment`, with their bodies and attempts.
    ///
    /// - Returns: how many were deleted.
    public func purgeDelivered(before moment: Timestamp, limit: Int) throws(QueueError) -> Int {
        let ids = try deliveredIDs(before: moment, limit: limit)
        guard !ids.isEmpty else { return 0 }
        try connection.write { () throws(QueueError) in
            for id in ids {
                // A replay may have taken it back between the look and the transaction.
                guard try isDelivered(id) else { continue }
                for sql in SQL.deleteDelivery {
                    let delete = try connection.statement(sql)
                    delete.bind(1, id)
                    try delete.run()
                }
            }
            CrashPoint.reached(.insidePurgeDelivered)
        }
        return ids.count
    }

    /// Deletes keys whose window has passed.
    ///
    /// Measured from the oldest webhook that a consumer has still to read: after a long stop of the
    /// workers a resend that waits in the log must still find the key of its first arrival.
    ///
    /// - Returns: how many were deleted.
    public func expireSeen(
        window: Duration,
        now: Timestamp,
        limit: Int
    ) throws(QueueError) -> Int {
        let cut = try min(now, oldestUnread() ?? now) - window
        let dated = try delete(.anyDatedExpired, .expireDated, before: cut.seconds, limit)
        guard dated < limit else { return dated }
        return dated
            + (try delete(.anyUndatedExpired, .expireUndated, before: cut.rawValue, limit))
    }

    /// Deletes shipped batches that were sealed before `moment` from the books.
    ///
    /// - Returns: how many were deleted.
    public func purgeShipped(before moment: Timestamp, limit: Int) throws(QueueError) -> Int {
        try delete(.anyShipped, .purgeShipped, before: moment.rawValue, limit)
    }

    /// Looks before it takes the gate: most of the time nothing has expired.
    private func delete(
        _ exists: SQL,
        _ sql: SQL,
        before cut: Int64,
        _ limit: Int
    ) throws(QueueError) -> Int {
        guard try any(exists, before: cut) else { return 0 }
        return try connection.write { () throws(QueueError) in
            let delete = try connection.statement(sql)
            delete.bind(1, cut)
            delete.bind(2, limit)
            try delete.run()
            return connection.changeCount
        }
    }

    private func any(_ sql: SQL, before cut: Int64) throws(QueueError) -> Bool {
        let select = try connection.statement(sql)
        defer { select.reset() }

        select.bind(1, cut)
        return try select.step()
    }

    private func oldestUnread() throws(QueueError) -> Timestamp? {
        try connection.scalar(.oldestUnread).map(Timestamp.init(rawValue:))
    }

    private func deliveredIDs(
        before moment: Timestamp,
        limit: Int
    ) throws(QueueError) -> [Int64] {
        let select = try connection.statement(
            """
            select id from delivery where state = 'delivered' and settled_at < ?1
            order by settled_at limit ?2
            """)
        defer { select.reset() }

        select.bind(1, moment.rawValue)
        select.bind(2, limit)
        var ids: [Int64] = []
        while try select.step() { ids.append(select.int64(0)) }
        return ids
    }

    private func isDelivered(_ id: Int64) throws(QueueError) -> Bool {
        let select = try connection.statement(
            "select 1 from delivery where id = ?1 and state = 'delivered'")
        defer { select.reset() }

        select.bind(1, id)
        return try select.step()
    }
}

extension SQL {
    static let oldestUnread: SQL = """
        select received_at from webhook
        where id > (select min(cursor) from consumer) order by id limit 1
        """

    static let anyDatedExpired: SQL =
        "select 1 from seen where event_seconds > 0 and event_seconds < ?1 limit 1"

    static let anyUndatedExpired: SQL =
        "select 1 from seen where event_seconds = 0 and received_at < ?1 limit 1"

    static let anyShipped: SQL =
        "select 1 from lake_batch where shipped_at is not null and sealed_at < ?1 limit 1"

    static let expireDated: SQL = """
        delete from seen where (event_seconds, digest, consumer) in (
          select event_seconds, digest, consumer from seen
          where event_seconds > 0 and event_seconds < ?1 limit ?2)
        """

    static let expireUndated: SQL = """
        delete from seen where (event_seconds, digest, consumer) in (
          select event_seconds, digest, consumer from seen
          where event_seconds = 0 and received_at < ?1 limit ?2)
        """

    static let purgeShipped: SQL = """
        delete from lake_batch where id in (
          select id from lake_batch where shipped_at is not null and sealed_at < ?1 limit ?2)
        """
}
