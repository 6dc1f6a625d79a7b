import CSQLite

/// Copies rows of one table from a damaged file, the columns that both sides know.
///
/// The one place where SQL is put together: its parts are names of tables and columns of our own
/// schema, read from the target, never values.
struct TableCopy {
    let table: String
    let source: Connection
    let target: Connection
    private let columns: [String]

    /// - Returns: nil where the source's schema cannot be read, or has no such table.
    init?(_ table: String, from source: Connection, to target: Connection) throws(QueueError) {
        self.table = table
        self.source = source
        self.target = target
        let known = Set(try Self.columns(of: table, in: target))
        guard let there = try? Self.columns(of: table, in: source) else { return nil }
        columns = there.filter(known.contains)
        if columns.isEmpty { return nil }
    }

    private static func columns(
        of table: String, in connection: Connection
    ) throws(QueueError) -> [String] {
        let select = try connection.statement("select name from pragma_table_info(?1)")
        defer { select.reset() }

        select.bind(1, table)
        var names: [String] = []
        while try select.step() { names.append(select.text(0)) }
        return names
    }

    /// Copies the rows of a table with integer ids.
    ///
    /// - Returns: how many, and the ranges of ids that could not be read.
    func copy(byID key: String, last: Int64) throws(QueueError) -> SalvagedTable {
        let select = SQL(
            text: "select \(list) from \(table) where \(key) >= ?1 order by \(key) limit ?2")
        var failure: QueueError?
        var count = 0
        let position = Int32(columns.firstIndex(of: key) ?? 0)
        let walk = DamagedTable(last: last) { first, limit, take in
            limit == 1
                ? isReadable(select, first)
                : rows(select, first) { (row) throws(QueueError) in
                    count += try insert(row)
                    take(row.int64(position))
                } failure: {
                    failure = $0
                }
        }
        let lost = walk.walk()
        if let failure { throw failure }
        return SalvagedTable(name: table, rowCount: count, lost: lost, isIncomplete: !lost.isEmpty)
    }

    /// Copies the rows of a table without row ids, from both of its ends towards the damage.
    func copy(byKeys keys: [String]) throws(QueueError) -> SalvagedTable {
        var count = 0
        var failure: QueueError?
        func run(_ order: String) -> Bool {
            let terms = keys.map { "\($0) \(order)" }.joined(separator: ", ")
            let select = SQL(text: "select \(list) from \(table) order by \(terms)")
            return rows(select, nil) { (row) throws(QueueError) in
                count += try insert(row)
            } failure: {
                failure = $0
            }
        }
        let isWhole = run("asc") || run("desc")
        if let failure { throw failure }
        return SalvagedTable(name: table, rowCount: count, lost: [], isIncomplete: !isWhole)
    }

    private var list: String { columns.joined(separator: ", ") }

    private func isReadable(_ sql: SQL, _ first: Int64) -> Bool {
        rows(sql, first, limit: 1) { (_) throws(QueueError) in
        } failure: { _ in
        }
    }

    /// Runs over rows; what the target refuses ends it through `failure`.
    ///
    /// - Returns: false where the source is damaged.
    private func rows(
        _ sql: SQL,
        _ first: Int64?,
        limit: Int = -1,
        _ take: (Statement) throws(QueueError) -> Void,
        failure: (QueueError) -> Void
    ) -> Bool {
        guard let select = try? Statement(sql, connection: source) else { return false }
        if let first {
            select.bind(1, first)
            select.bind(2, limit)
        }
        while true {
            do throws(QueueError) {
                guard try select.step() else { return true }
            } catch {
                return false
            }
            do throws(QueueError) {
                try take(select)
            } catch {
                failure(error)
                return true
            }
        }
    }

    /// - Returns: 1, or 0 where the row is there already or breaks a rule of the table.
    private func insert(_ row: Statement) throws(QueueError) -> Int {
        let places = (1...columns.count).map { "?\($0)" }.joined(separator: ", ")
        let insert = try target.statement(
            SQL(text: "insert or ignore into \(table) (\(list)) values (\(places))"))
        for index in columns.indices {
            insert.bind(Int32(index + 1), column: Int32(index), of: row)
        }
        do throws(QueueError) {
            try insert.run()
        } catch {
            // A type that the column does not take: the damage hit the row's own header.
            guard case .sqlite(let problem) = error, problem.code & 0xFF == SQLITE_CONSTRAINT else {
                throw error
            }
            return 0
        }
        return target.changeCount
    }
}

/// What was saved of one table.
public struct SalvagedTable: Sendable, Equatable {
    /// As in the schema.
    public let name: String
    /// Rows that were saved.
    public var rowCount: Int
    /// Ids behind which rows may have been that could not be read.
    public var lost: [ClosedRange<Int64>]
    /// Whether something could not be read, with or without a range to name.
    public var isIncomplete: Bool
}
