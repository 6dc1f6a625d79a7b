import Base

/// One step of sending delivered messages again.
public struct DeliveredReplay: Sendable, Equatable {
    /// Where the next step begins; `nil` at the end.
    public let next: DeliveryID?
    /// Deliveries that wait again.
    public let replayedCount: Int
}

extension ForwardBooks {
    /// How many deliveries that PHP accepted in a range of time are still kept.
    ///
    /// - Parameter range: of the moments at which PHP accepted them.
    /// - Returns: deliveries, not events.
    /// - Throws: what every method of a session may throw.
    public func deliveredCount(_ range: Range<Timestamp>) throws(QueueError) -> Int {
        let select = try connection.statement(.countDelivered)
        defer { select.reset() }

        select.bind(1, range.lowerBound.rawValue)
        select.bind(2, range.upperBound.rawValue)
        return try select.step() ? select.int(0) : 0
    }

    /// Sends what PHP accepted in a range of time again: a new budget, the same ids and attempts.
    ///
    /// A step at a time, so that no read lasts long and the gate is never held long. The order is
    /// that of the first arrival, whatever the clock did meanwhile; each delivery goes to the end
    /// of its conversation. What is given up, discarded or purged stays where it is.
    ///
    /// - Parameters:
    ///   - range: of the moments at which PHP accepted them; ends at `now` or before, so that what
    ///     is accepted during the replay is not met again.
    ///   - cursor: ``DeliveredReplay/next`` of the step before; `.none` for the first.
    ///   - limit: deliveries of this step, 1 to ``replayCountMax``.
    ///   - actor: for the audit, which gets a line for each step that changed something.
    ///   - now: when they fall due.
    /// - Returns: what this step did, and where the next one begins.
    /// - Throws: what every method of a session may throw; the step is then undone.
    public func replayDelivered(
        _ range: Range<Timestamp>,
        after cursor: DeliveryID,
        limit: Int = Self.replayCountMax,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> DeliveredReplay {
        precondition((1...Self.replayCountMax).contains(limit), "a step replays 1 to 100")
        precondition(range.upperBound <= now, "what is accepted from now on is not sent again")
        let last = DeliveryID(
            rawValue: try connection.scalar("select max(id) from delivery") ?? 0)
        guard cursor < last else { return DeliveredReplay(next: nil, replayedCount: 0) }
        let end = cursor.rawValue + Self.windowCount
        let ids = try delivered(range, after: cursor, through: end, limit: limit)
        let isWindowDone = ids.count < limit
        let next = isWindowDone ? DeliveryID(rawValue: end) : ids.last ?? cursor
        guard !ids.isEmpty else { return DeliveredReplay(next: next, replayedCount: 0) }
        let count = try connection.write { () throws(QueueError) in
            let count = try replay(ids, range, by: actor, now: now)
            CrashPoint.reached(.insideReplay)
            return count
        }
        return DeliveredReplay(next: next, replayedCount: count)
    }

    /// Deliveries of one transaction: as many as dead letters in theirs.
    public static let replayCountMax = 100

    /// Ids that one read looks at: a few megabytes of rows.
    private static let windowCount: Int64 = 5_000

    private func delivered(
        _ range: Range<Timestamp>,
        after cursor: DeliveryID,
        through end: Int64,
        limit: Int
    ) throws(QueueError) -> [DeliveryID] {
        let select = try connection.statement(.deliveredInWindow)
        defer { select.reset() }

        select.bind(1, range.lowerBound.rawValue)
        select.bind(2, range.upperBound.rawValue)
        select.bind(3, cursor.rawValue)
        select.bind(4, end)
        select.bind(5, limit)
        var ids: [DeliveryID] = []
        while try select.step() { ids.append(DeliveryID(rawValue: select.int64(0))) }
        return ids
    }

    private func replay(
        _ ids: [DeliveryID],
        _ range: Range<Timestamp>,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> Int {
        var count = 0
        for id in ids {
            // It may have been purged or replayed between the look and the transaction.
            guard let (conversations, eventCount) = try stillDelivered(id) else { continue }
            try places.lineUpAgain(id, conversations: conversations, now: now)
            try counters.add(-eventCount, to: .delivered)
            try counters.add(eventCount, to: .waiting)
            try counters.add(1, to: .waitingDeliveries)
            count += 1
        }
        guard count > 0, let first = ids.first, let last = ids.last else { return 0 }
        let note =
            "\(count) delivered from \(range.lowerBound.rfc3339) before "
            + "\(range.upperBound.rfc3339), ids \(first) to \(last)"
        try Audit(connection: connection)
            .record("replay delivered", nil, by: actor, note: note, now: now)
        return count
    }

    private func stillDelivered(
        _ id: DeliveryID
    ) throws(QueueError) -> (conversations: [String], eventCount: Int)? {
        let select = try connection.statement(
            "select conversations, event_count from delivery where id = ?1 and state = 'delivered'"
        )
        defer { select.reset() }

        select.bind(1, id.rawValue)
        guard try select.step() else { return nil }
        return (select.text(0).split(separator: "\n").map(String.init), select.int(1))
    }
}

extension SQL {
    static let countDelivered: SQL = """
        select count(*) from delivery
        where state = 'delivered' and settled_at >= ?1 and settled_at < ?2
        """

    /// By the rows themselves: an index on the time would give them in another order.
    static let deliveredInWindow: SQL = """
        select id from delivery not indexed
        where id > ?3 and id <= ?4
          and state = 'delivered' and settled_at >= ?1 and settled_at < ?2
        order by id limit ?5
        """
}
