import Base
import CSQLite

/// Saves what can be read of a damaged queue into a new one.
///
/// Three passes. By SQL, table by table, stepping over ranges of ids whose pages are damaged. Then
/// page by page, without SQL: webhooks that no consumer is known to have read, and deliveries in
/// the ranges that were lost, also from frames of the WAL behind a damaged one. Then what hangs
/// together is put together again: cursors, places, books. What may come twice that way is a double
/// by its keys, as after a crash; what is lost is said.
///
/// Not Sendable: the thread that makes it keeps it.
public final class Salvage {
    let target: QueueSession
    private let source: Connection?
    private let note: LastWebhookNote?
    var tables: [SalvagedTable] = []
    /// The last webhook that the source ever gave a number, where that can be read.
    var lastWebhook: Int64 = 0

    /// - Parameters:
    ///   - path: a private copy of the damaged database, its WAL beside it; both are written to.
    ///   - target: a new queue.
    ///   - location: of the original, whose gate may know of webhooks that the file does not.
    /// - Throws: ``QueueError/file(_:)``. A file that SQLite does not open is not an error: its
    ///   pages may still be read.
    public init(
        copyAt path: String,
        target: QueueSession,
        original location: QueueLocation
    ) throws(QueueError) {
        self.target = target
        note = LastWebhookNote(gatePath: location.gatePath)
        source = try? Connection(
            path: path, gate: try Gate.ofPrivateFile(), synchronous: .normal)
    }

    /// What can be read by SQL.
    ///
    /// - Throws: what the target refuses.
    public func saveRows() throws(QueueError) {
        lastWebhook = source.flatMap { Self.knownLastID(of: "webhook", in: $0) } ?? 0
        if let note, isOfSource(note) { lastWebhook = max(lastWebhook, note.id) }
        for (table, key) in Self.tablesWithID {
            try save(table) { (copy, source) throws(QueueError) in
                try copy.copy(byID: key, last: Self.lastID(of: table, in: source))
            }
        }
        for (table, keys) in Self.tablesWithKeys {
            try save(table) { (copy, _) throws(QueueError) in try copy.copy(byKeys: keys) }
        }
        try saveCursors()
    }

    /// In the order in which rows refer to each other.
    private static let tablesWithID = [
        ("webhook", "id"), ("lake_batch", "id"), ("delivery", "id"),
        ("delivery_body", "delivery_id"), ("audit", "id"),
    ]

    private static let tablesWithKeys = [
        ("attempt", ["delivery_id", "number"]),
        ("seen", ["event_seconds", "digest", "consumer"]),
        ("counter", ["name"]),
        ("destination", ["name"]),
    ]

    private func save(
        _ table: String,
        _ body: (TableCopy, Connection) throws(QueueError) -> SalvagedTable
    ) throws(QueueError) {
        guard let source,
            let copy = try TableCopy(table, from: source, to: target.connection)
        else {
            if let source, Self.isMissing(table, in: source) { return }
            tables.append(
                SalvagedTable(
                    name: table, rowCount: 0, lost: [1...Int64(Int32.max)], isIncomplete: true))
            return
        }
        let saved = try target.connection.write { () throws(QueueError) in
            try body(copy, source)
        }
        tables.append(saved)
    }

    /// A file of an earlier schema has no such table: nothing is lost with it.
    private static func isMissing(_ table: String, in source: Connection) -> Bool {
        guard
            let select = try? Statement(
                """
                select count(*), sum(name = ?1) from sqlite_schema
                where name in ('webhook', 'delivery', ?1)
                """, connection: source)
        else { return false }
        select.bind(1, table)
        guard let isThere = try? select.step(), isThere else { return false }
        return select.int64(0) >= 2 && select.int64(1) == 0
    }

    /// A note may be left from another queue in the same place; where the source cannot say, it is
    /// believed: to miss a webhook that never was costs a line.
    private func isOfSource(_ note: LastWebhookNote) -> Bool {
        guard let source,
            let select = try? Statement("select queue_id from queue", connection: source),
            let isThere = try? select.step(), isThere
        else { return true }
        return select.text(0) == note.queueID
    }

    /// AUTOINCREMENT's memory where it can be read; else further than any queue has counted.
    private static func lastID(of table: String, in source: Connection) -> Int64 {
        let counted = table == "delivery_body" ? "delivery" : table
        return knownLastID(of: counted, in: source).map { max(1, $0) } ?? Int64(Int32.max)
    }

    private static func knownLastID(of table: String, in source: Connection) -> Int64? {
        guard
            let select = try? Statement(
                "select seq from sqlite_sequence where name = ?1", connection: source)
        else { return nil }
        select.bind(1, table)
        guard let isThere = try? select.step(), isThere else { return nil }
        return select.int64(0)
    }

    /// A cursor that cannot be read stays at 0: all is read again, and the doubles are known.
    private func saveCursors() throws(QueueError) {
        var count = 0
        for consumer in [Consumer.lake, .forward] {
            guard let source,
                let select = try? Statement(
                    "select cursor from consumer where name = ?1", connection: source)
            else { continue }
            select.bind(1, consumer.name)
            guard let isThere = try? select.step(), isThere else { continue }
            let cursor = select.int64(0)
            try target.connection.write { () throws(QueueError) in
                let update = try target.connection.statement(
                    "update consumer set cursor = ?2 where name = ?1")
                update.bind(1, consumer.name)
                update.bind(2, cursor)
                try update.run()
            }
            count += 1
        }
        tables.append(
            SalvagedTable(name: "consumer", rowCount: count, lost: [], isIncomplete: count < 2))
    }
}
