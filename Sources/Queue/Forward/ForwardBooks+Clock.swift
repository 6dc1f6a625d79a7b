import Base

extension ForwardBooks {
    /// Rows of one call; the gate is not held for more at a time.
    private static let slice = 2_000

    /// Makes due at once what the clock, by a step back, has put further away than any wait can be.
    ///
    /// Due times are wall times, so that they outlive a restart. Without this, what was accepted
    /// while the clock was an hour ahead would wait for an hour after it was set right.
    ///
    /// - Parameters:
    ///   - limit: later than any due time that was meant: now and the longest wait.
    ///   - now: the new due time.
    ///   - destination: empty: the one that takes everything else.
    /// - Throws: what every method of a session may throw. Writes only where there is such a row,
    ///   up to 2,000 a call, and blocks on the gate then.
    public func bringForward(
        dueAfter limit: Timestamp, to now: Timestamp, at destination: String = ""
    ) throws(QueueError) {
        guard try isAnyDue(after: limit, at: destination) else { return }
        try connection.write { () throws(QueueError) in
            let update = try connection.statement(.bringForward)
            defer { update.reset() }

            update.bind(1, destination)
            update.bind(2, limit.rawValue)
            update.bind(3, now.rawValue)
            update.bind(4, Self.slice)
            try update.run()
        }
    }

    private func isAnyDue(
        after limit: Timestamp, at destination: String
    ) throws(QueueError) -> Bool {
        let select = try connection.statement(.isAnyDueAfter)
        defer { select.reset() }

        select.bind(1, destination)
        select.bind(2, limit.rawValue)
        return try select.step()
    }
}

extension SQL {
    static let isAnyDueAfter: SQL = """
        select 1 from delivery where destination = ?1 and due_at > ?2 limit 1
        """

    static let bringForward: SQL = """
        update delivery set due_at = ?3 where id in (
          select id from delivery where destination = ?1 and due_at > ?2 limit ?4)
        """
}
