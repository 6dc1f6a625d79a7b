import CSQLite

/// A database as any program would open it, with nothing of ours around it.
final class RawDatabase {
    let handle: OpaquePointer

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ path: String) throws {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else {
            throw Failure(description: "cannot open \(path)")
        }
        self.handle = handle
        for sql in [
            "pragma journal_mode = wal", "pragma synchronous = full",
            "pragma wal_autocheckpoint = 0", "pragma mmap_size = 0",
        ] { try run(sql) }
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw Failure(description: "\(sql): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }

    /// The first column of the first row as text, or what SQLite says against reading it.
    func text(_ sql: String) -> String {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }

        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW, let text = sqlite3_column_text(statement, 0)
        else { return String(cString: sqlite3_errmsg(handle)) }
        return String(cString: text)
    }

    /// - Returns: SQLite's result code.
    @discardableResult
    func checkpoint(_ mode: Int32) -> Int32 {
        sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
    }
}
