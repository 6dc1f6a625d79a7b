import Base

extension ForwardBooks {
    /// Names of destinations that deliveries of this queue may carry, the empty one left out.
    public func destinations() throws(QueueError) -> Set<String> {
        let select = try connection.statement("select name from destination")
        defer { select.reset() }

        var names: Set<String> = []
        while try select.step() { names.insert(select.text(0)) }
        return names
    }

    /// Makes names known before a delivery carries them; they stay known.
    public func know(_ names: [String]) throws(QueueError) {
        let known = try destinations()
        let new = names.filter { !known.contains($0) && !$0.isEmpty }
        guard !new.isEmpty else { return }
        try connection.write { () throws(QueueError) in
            let insert = try connection.statement("insert into destination values (?1, 0)")
            for name in new {
                insert.bind(1, name)
                try insert.run()
            }
        }
    }

    /// How long the breaker of a destination has been closed over the life of this queue, for the
    /// age of deliveries.
    ///
    /// - Parameter destination: empty: the one that takes everything else.
    /// - Returns: zero for a name that is not known.
    /// - Throws: what every method of a session may throw.
    public func closedTime(of destination: String = "") throws(QueueError) -> Duration {
        guard !destination.isEmpty else {
            return .milliseconds(try counters.value(.closedTime))
        }
        let select = try connection.statement(
            "select closed_time_ms from destination where name = ?1")
        defer { select.reset() }

        select.bind(1, destination)
        return .milliseconds(try select.step() ? select.int64(0) : 0)
    }

    func setClosedTime(_ time: Duration, of destination: String) throws(QueueError) {
        guard !destination.isEmpty else {
            return try counters.set(.closedTime, to: time.milliseconds)
        }
        let update = try connection.statement(
            "update destination set closed_time_ms = ?2 where name = ?1")
        update.bind(1, destination)
        update.bind(2, time.milliseconds)
        try update.run()
    }
}
