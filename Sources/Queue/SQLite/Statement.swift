import CSQLite

/// A prepared statement, bound and stepped by the thread that owns its connection.
final class Statement {
    private let handle: OpaquePointer
    private let sql: SQL
    private unowned let connection: Connection

    init(_ sql: SQL, connection: Connection) throws(QueueError) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(
            connection.handle, sql.text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw connection.failure(code, sql: sql.text) }
        self.handle = handle
        self.sql = sql
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Parameters, numbered from 1

    func bind(_ index: Int32, _ value: Int64) {
        check(sqlite3_bind_int64(handle, index, value))
    }

    func bind(_ index: Int32, _ value: Int) { bind(index, Int64(value)) }

    func bind(_ index: Int32, _ value: Bool) { bind(index, value ? 1 as Int64 : 0) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    func bind(_ index: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // A null pointer would bind NULL: an empty string still needs an address.
                let empty: [CChar] = [0]
                empty.withUnsafeBufferPointer { empty in
                    let start = characters.baseAddress ?? empty.baseAddress
                    check(
                        csqlite_bind_text_copied(
                            handle, index, start, sqlite3_uint64(characters.count)))
                }
            }
        }
    }

    func bind(_ index: Int32, _ text: String?) {
        if let text { bind(index, text) } else { bindNull(index) }
    }

    func bind(_ index: Int32, blob: [UInt8]) {
        blob.withUnsafeBytes { bind(index, blob: $0) }
    }

    func bind(_ index: Int32, blob: UnsafeRawBufferPointer) {
        guard let start = blob.baseAddress, !blob.isEmpty else {
            check(sqlite3_bind_zeroblob(handle, index, 0))
            return
        }
        check(csqlite_bind_blob_copied(handle, index, start, sqlite3_uint64(blob.count)))
    }

    func bindNull(_ index: Int32) { check(sqlite3_bind_null(handle, index)) }

    /// Binds without copying: the bytes must stay where they are until `reset`.
    func bindUnowned(_ index: Int32, blob: UnsafeRawBufferPointer) {
        guard let start = blob.baseAddress, !blob.isEmpty else {
            check(sqlite3_bind_zeroblob(handle, index, 0))
            return
        }
        check(csqlite_bind_blob_static(handle, index, start, sqlite3_uint64(blob.count)))
    }

    /// Binds without copying: NULL where there are no bytes, else text that must stay where it is.
    func bindUnowned(_ index: Int32, textOrNull text: UnsafeRawBufferPointer) {
        guard let start = text.baseAddress, !text.isEmpty else {
            bindNull(index)
            return
        }
        check(
            csqlite_bind_text_static(
                handle, index, start.assumingMemoryBound(to: CChar.self),
                sqlite3_uint64(text.count)))
    }

    /// Binds a column of another statement's row, whatever its type.
    func bind(_ index: Int32, column: Int32, of row: Statement) {
        check(sqlite3_bind_value(handle, index, sqlite3_column_value(row.handle, column)))
    }

    // A refused bind is a wrong index or a value beyond SQLite's limit of 1e9 bytes: a bug of ours.
    private func check(_ code: Int32) {
        precondition(code == SQLITE_OK, "a parameter could not be bound")
    }

    // MARK: Running

    /// - Returns: whether there is a row to read.
    func step() throws(QueueError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let failure = connection.failure(code, sql: sql.text)
            sqlite3_reset(handle)
            throw failure
        }
    }

    /// Runs a statement that returns no row and makes it ready for the next time.
    func run() throws(QueueError) {
        defer { reset() }
        while try step() {}
    }

    /// Lets go of the row at hand, and of the read transaction with it.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Makes the statement ready again and leaves its parameters bound.
    func rewind() { sqlite3_reset(handle) }

    /// Steps of SQLite's virtual machine since this was last asked: what a query costs, whatever
    /// the machine.
    func takeStepCount() -> Int {
        Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
    }

    // MARK: Columns of the row at hand, numbered from 0

    func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }

    func optionalInt64(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : int64(column)
    }

    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func optionalText(_ column: Int32) -> String? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : text(column)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(sqlite3_column_bytes(handle, column))
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}
