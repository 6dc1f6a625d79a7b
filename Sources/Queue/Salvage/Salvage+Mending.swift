import Base

/// What a salvage came to.
public struct SalvageReport: Sendable {
    /// What was saved and lost, table by table.
    public let tables: [SalvagedTable]
    /// Ids of webhooks that no consumer had read and that are gone.
    public let lostWebhooks: [ClosedRange<Int64>]
    /// Deliveries whose row or body is gone.
    public let lostDeliveries: Int
}

extension Salvage {
    /// Puts together what hangs together, and says what is lost.
    ///
    /// - Parameters:
    ///   - actor: for the audit.
    ///   - now: when what has no time of its own falls due.
    /// - Returns: the report.
    /// - Throws: what the target refuses.
    public func finish(by actor: Actor, now: Timestamp) throws(QueueError) -> SalvageReport {
        let connection = target.connection
        let lostDeliveries = try connection.write { () throws(QueueError) in
            let lost = try dropHalves()
            try mendNumbers()
            try linePlacesUp(now: now)
            try balanceBooks()
            try Audit(connection: connection).record(
                "salvage", nil, by: actor,
                note: tables.map { "\($0.name) \($0.rowCount)" }.joined(separator: ", "), now: now)
            return lost
        }
        return SalvageReport(
            tables: tables, lostWebhooks: try missingWebhooks(), lostDeliveries: lostDeliveries)
    }

    /// Takes a batch out of the books, whose spool file is gone.
    public func drop(_ batch: SealedBatch) throws(QueueError) {
        try target.connection.write { () throws(QueueError) in
            let delete = try target.connection.statement(
                "delete from lake_batch where object_name = ?1")
            delete.bind(1, batch.objectName)
            try delete.run()
            try balanceBooks()
        }
    }

    /// A delivery without its body cannot be sent, and a body alone says nothing of whose it is.
    private func dropHalves() throws(QueueError) -> Int {
        let connection = target.connection
        let lost = try connection.scalar(
            "select count(*) from delivery where id not in (select delivery_id from delivery_body)")
        let stray = try connection.scalar(
            "select count(*) from delivery_body where delivery_id not in (select id from delivery)")
        try connection.execute(
            """
            delete from delivery where id not in (select delivery_id from delivery_body);
            delete from delivery_body where delivery_id not in (select id from delivery);
            delete from attempt where delivery_id not in (select id from delivery)
            """)
        return Int((lost ?? 0) + (stray ?? 0))
    }

    /// Numbers that are given out must go on behind everything that was ever given out.
    private func mendNumbers() throws(QueueError) {
        try target.connection.execute(
            """
            insert into sqlite_sequence (name, seq) select 'webhook', 0
              where not exists (select 1 from sqlite_sequence where name = 'webhook')
            """)
        let known = try target.connection.statement(
            "update sqlite_sequence set seq = max(seq, ?1) where name = 'webhook'")
        known.bind(1, lastWebhook)
        try known.run()
        try target.connection.execute(
            """
            update sqlite_sequence set seq = max(seq,
              (select coalesce(max(id), 0) from webhook), (select max(cursor) from consumer))
              where name = 'webhook';
            delete from seen where length(digest) <> 16 or consumer not in (0, 1)
              or webhook_id > (select seq from sqlite_sequence where name = 'webhook')
            """)
    }

    private func linePlacesUp(now: Timestamp) throws(QueueError) {
        let connection = target.connection
        try connection.execute("delete from place")
        let places = Places(connection: connection)
        var last: Int64 = 0
        for waiting in try waitingDeliveries() {
            let blocked = try places.blockedCount(of: waiting.conversations)
            let update = try connection.statement(.lineUpSalvaged)
            update.bind(1, waiting.id.rawValue)
            update.bind(2, blocked)
            update.bind(3, now.rawValue)
            try update.run()
            try places.take(
                waiting.conversations, position: waiting.position, delivery: waiting.id)
            last = waiting.position
        }
        let counters = Counters(connection: connection)
        if last > (try counters.value(.lastPosition)) { try counters.set(.lastPosition, to: last) }
    }

    private func waitingDeliveries() throws(QueueError) -> [(
        id: DeliveryID, position: Int64, conversations: [String]
    )] {
        let select = try target.connection.statement(
            """
            select id, position, conversations from delivery
            where state = 'waiting' order by position
            """)
        defer { select.reset() }

        var waiting: [(id: DeliveryID, position: Int64, conversations: [String])] = []
        while try select.step() {
            waiting.append(
                (
                    DeliveryID(rawValue: select.int64(0)), select.int64(1),
                    select.text(2).split(separator: "\n").map(String.init)
                ))
        }
        return waiting
    }

    /// Counts what is there again; what was found is then what is in its places.
    private func balanceBooks() throws(QueueError) {
        let connection = target.connection
        let counters = Counters(connection: connection)
        for (name, sql) in Examiner.recounts {
            try counters.set(name, to: try connection.scalar(sql) ?? 0)
        }
        let kept = try connection.scalar(
            "select sum(event_count) from delivery where state = 'delivered'")
        try counters.set(.delivered, to: max(kept ?? 0, try counters.value(.delivered)))
        let unshipped = try connection.scalar(
            "select sum(line_count) from lake_batch where shipped_at is null")
        try counters.set(.lakeSealed, to: try counters.value(.lakeShipped) + (unshipped ?? 0))
        try counters.set(.lakeFound, to: try sum([.lakeDoubles, .lakeSealed, .lakeErased]))
        try counters.set(
            .forwardFound,
            to: try sum([
                .forwardDoubles, .waiting, .delivered, .dead, .discarded, .dropped, .erased,
            ]))
    }

    private func sum(_ names: [CounterName]) throws(QueueError) -> Int64 {
        let counters = Counters(connection: target.connection)
        var sum: Int64 = 0
        for name in names { sum += try counters.value(name) }
        return sum
    }

    /// Ids in front of the slower cursor that should be there, and are not.
    private func missingWebhooks() throws(QueueError) -> [ClosedRange<Int64>] {
        let select = try target.connection.statement("select id from webhook where id > ?1")
        defer { select.reset() }

        let last = try target.log.lastID().rawValue
        var expected = (try target.connection.scalar("select min(cursor) from consumer") ?? 0) + 1
        select.bind(1, expected - 1)
        var missing: [ClosedRange<Int64>] = []
        while try select.step() {
            let id = select.int64(0)
            if id > expected { missing.append(expected...id - 1) }
            expected = id + 1
        }
        if expected <= last { missing.append(expected...last) }
        return missing
    }
}

extension SQL {
    static let lineUpSalvaged: SQL = """
        update delivery set blocked_count = ?2,
          due_at = case when ?2 = 0 then coalesce(due_at, ?3) end
        where id = ?1
        """
}
