/// The books of the queue, in events unless the name says otherwise.
///
/// ``Books`` says how they balance.
public enum CounterName: String, CaseIterable, Sendable {
    /// Statuses that the lake consumer found in the webhooks it has read.
    case lakeFound = "lake_found"
    /// Statuses that were met before.
    case lakeDoubles = "lake_doubles"
    /// Lines in sealed batches, shipped or not.
    case lakeSealed = "lake_sealed"
    /// Lines in batches that the lake holds.
    case lakeShipped = "lake_shipped"
    /// Statuses that a person had removed: from the log, from a sealed batch, or from the lake.
    case lakeErased = "lake_erased"
    /// Events for PHP that the forward consumer found.
    case forwardFound = "forward_found"
    /// Events for PHP that were met before.
    case forwardDoubles = "forward_doubles"
    /// Events in deliveries that wait for PHP.
    case waiting = "waiting"
    /// Events in deliveries that PHP accepted, purged ones included.
    case delivered = "delivered"
    /// Events in dead letters.
    case dead = "dead"
    /// Events in dead letters that a person discarded.
    case discarded = "discarded"
    /// Events that a route of the operator dropped.
    case dropped = "dropped"
    /// Events that a person had removed.
    case erased = "erased"
    /// Webhooks that a person had put back into the log from the dead letters: appended, and not
    /// acknowledged once more.
    case rereadWebhooks = "reread_webhooks"
    /// Webhooks without any event.
    case emptyWebhooks = "empty_webhooks"
    /// Dead letters, in deliveries.
    case deadLetters = "dead_letters"
    /// Deliveries that wait.
    case waitingDeliveries = "waiting_deliveries"
    /// The breaker's closed time in milliseconds, by which the age of a failing delivery is
    /// measured.
    case closedTime = "closed_time_ms"
    /// The last turn that was given out.
    case lastPosition = "last_position"
}

/// Reads and moves the books.
struct Counters {
    let connection: Connection

    func value(_ name: CounterName) throws(QueueError) -> Int64 {
        let select = try connection.statement("select value from counter where name = ?1")
        defer { select.reset() }

        select.bind(1, name.rawValue)
        return try select.step() ? select.int64(0) : 0
    }

    /// Adds inside the caller's transaction.
    func add(_ amount: Int, to name: CounterName) throws(QueueError) {
        guard amount != 0 else { return }
        let upsert = try connection.statement(
            """
            insert into counter (name, value) values (?1, ?2)
            on conflict (name) do update set value = value + ?2
            """)
        upsert.bind(1, name.rawValue)
        upsert.bind(2, amount)
        try upsert.run()
    }

    func set(_ name: CounterName, to value: Int64) throws(QueueError) {
        let upsert = try connection.statement(
            """
            insert into counter (name, value) values (?1, ?2)
            on conflict (name) do update set value = ?2
            """)
        upsert.bind(1, name.rawValue)
        upsert.bind(2, value)
        try upsert.run()
    }

    func all() throws(QueueError) -> [CounterName: Int64] {
        let select = try connection.statement("select name, value from counter")
        defer { select.reset() }

        var values: [CounterName: Int64] = [:]
        while try select.step() {
            guard let name = CounterName(rawValue: select.text(0)) else { continue }
            values[name] = select.int64(1)
        }
        return values
    }
}
