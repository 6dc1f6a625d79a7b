import Base
import CSQLite
import Glibc

/// One SQLite connection.
///
/// Not Sendable on purpose: it stays on the thread that opened it.
///
/// Every connection is set up alike, whoever opens it: no automatic checkpoint, none on close, no
/// memory map (an I/O error on a map is a SIGBUS), no trust in the schema. Writes and checkpoints
/// pass the ``Gate``.
final class Connection {
    let handle: OpaquePointer
    let path: String
    let gate: Gate
    private let synchronous: Synchronous
    /// The queue's identity, once the session knows it.
    var queueID = ""
    /// Pages in the WAL after the last commit of this connection.
    private(set) var walPages = 0
    /// How long the last write of this connection held the gate.
    private(set) var lastHold = Duration.zero
    /// Bytes of one page of this file; asked for once, after which it cannot change.
    private(set) lazy var pageByteCount = readPageByteCount()
    private var statements: [SQL: Statement] = [:]

    /// Longest wait for a lock that another connection holds: recovery after a crash, a backup.
    static let busyTimeoutMilliseconds: Int32 = 5_000

    /// - Throws: ``QueueError/corrupt(path:detail:)``, ``QueueError/notAQueue(path:)``,
    ///   ``QueueError/file(_:)``.
    init(
        path: String,
        gate: Gate,
        synchronous: Synchronous,
        access: QueueCopy.Access = .write
    ) throws(QueueError) {
        var handle: OpaquePointer?
        let mode = access == .write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
        let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let system = handle.map { sqlite3_system_errno($0) } ?? 0
            sqlite3_close_v2(handle)
            throw .file(SystemError(call: "open", code: system, path: path))
        }
        self.handle = handle
        self.path = path
        self.gate = gate
        self.synchronous = Self.level(synchronous)
        try configure(self.synchronous)
        countWALPages()
        refuseCommitsOutsideGate()
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// A debug build may be told not to sync its commits, to show that the tests of the promise
    /// notice: `PIPELINE_TEST_SYNCHRONOUS=normal`.
    private static func level(_ synchronous: Synchronous) -> Synchronous {
        #if DEBUG
            if getenv("PIPELINE_TEST_SYNCHRONOUS").map({ strcmp($0, "normal") == 0 }) == true {
                return .normal
            }
        #endif
        return synchronous
    }

    private func configure(_ synchronous: Synchronous) throws(QueueError) {
        sqlite3_busy_timeout(handle, Self.busyTimeoutMilliseconds)
        for (option, value) in [
            (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1), (SQLITE_DBCONFIG_DEFENSIVE, 1),
            (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
        ] as [(Int32, Int32)] {
            let code = csqlite_db_config_flag(handle, option, value)
            guard code == SQLITE_OK else { throw failure(code, sql: nil) }
        }
        try execute("pragma wal_autocheckpoint = 0")
        try execute("pragma mmap_size = 0")
        try execute("pragma cell_size_check = on")
        // FAST zeroes what it can without extra I/O; ON cost 22 % of a queue's throughput.
        try execute("pragma secure_delete = fast")
        try execute("pragma temp_store = memory")
        try execute("pragma cache_size = -8192")
        switch synchronous {
        case .full: try execute("pragma synchronous = full")
        case .normal: try execute("pragma synchronous = normal")
        }
    }

    /// The hook replaces SQLite's automatic checkpoint: it only counts.
    private func countWALPages() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context {
                    Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walPages =
                        Int(pages)
                }
                return SQLITE_OK
            }, context)
    }

    private func readPageByteCount() -> Int {
        do throws(QueueError) {
            return Int(try scalar("pragma page_size") ?? 0)
        } catch {
            preconditionFailure("the page size of an open file cannot be read: \(error)")
        }
    }

    /// Whatever statement asks for it, a commit without the gate is a mistake of ours that could
    /// cost acknowledged pages: SQLite rolls it back, and reports SQLITE_CONSTRAINT_COMMITHOOK.
    private func refuseCommitsOutsideGate() {
        sqlite3_commit_hook(
            handle,
            { context in
                guard let context else { return 1 }
                return Unmanaged<Gate>.fromOpaque(context).takeUnretainedValue().isHeld ? 0 : 1
            }, Unmanaged.passUnretained(gate).toOpaque())
    }

    /// A checkpoint was complete: the next commit starts the WAL anew.
    func restartedWAL() { walPages = 0 }

    /// The statement for `sql`, prepared once per connection.
    func statement(_ sql: SQL) throws(QueueError) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try Statement(sql, connection: self)
        statements[sql] = statement
        return statement
    }

    /// Runs one or several statements that need no parameter and return no row.
    func execute(_ sql: SQL) throws(QueueError) {
        let code = sqlite3_exec(handle, sql.text, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql: sql.text) }
    }

    /// The first column of the first row, or `nil` where there is no row or the column is NULL.
    func scalar(_ sql: SQL) throws(QueueError) -> Int64? {
        let statement = try statement(sql)
        defer { statement.reset() }

        guard try statement.step() else { return nil }
        return statement.optionalInt64(0)
    }

    /// The row id that the last insert gave.
    var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// The number of rows that the last statement changed.
    var changeCount: Int { Int(sqlite3_changes64(handle)) }

    // MARK: Transactions

    /// Runs `body` in one write transaction under the gate; all of it or nothing is stored.
    ///
    /// Blocks for the gate and for the sync where this connection's level asks for one.
    func write<Result>(
        _ body: () throws(QueueError) -> Result
    ) throws(QueueError) -> Result {
        gate.lock()
        let start = MonotonicClock.now()
        defer {
            lastHold = MonotonicClock.now() - start
            gate.unlock()
        }

        return try writeHoldingGate(body)
    }

    /// As ``write(_:)``, without waiting for the disk whatever this connection's level is.
    func writeUnsynced<Result>(
        _ body: () throws(QueueError) -> Result
    ) throws(QueueError) -> Result {
        guard synchronous == .full else { return try write(body) }
        try statement("pragma synchronous = normal").run()
        defer { restoreSynchronous() }

        return try write(body)
    }

    /// A session that could no longer sync its commits must not go on.
    private func restoreSynchronous() {
        do throws(QueueError) {
            try statement("pragma synchronous = full").run()
        } catch {
            preconditionFailure("synchronous = full could not be restored: \(error)")
        }
    }

    /// As ``write(_:)``, for a caller that holds the gate and gives it up afterwards.
    ///
    /// `announce` tells the watchers that the commit can be seen, by one write to the gate's file:
    /// each write is one wake.
    func writeHoldingGate<Result>(
        announcingBy announce: (Gate) -> Void = { $0.announceCommit() },
        _ body: () throws(QueueError) -> Result
    ) throws(QueueError) -> Result {
        try statement("begin immediate").run()
        do throws(QueueError) {
            let result = try body()
            try statement("commit").run()
            announce(gate)
            return result
        } catch {
            // A COMMIT that failed has usually been rolled back by SQLite itself.
            if sqlite3_get_autocommit(handle) == 0 { try? statement("rollback").run() }
            throw error
        }
    }

    /// Runs `body` on one snapshot.
    ///
    /// Keep it short: the WAL cannot be reset past a reader.
    func read<Result>(
        _ body: () throws(QueueError) -> Result
    ) throws(QueueError) -> Result {
        try statement("begin").run()
        defer { try? statement("commit").run() }

        return try body()
    }

    // MARK: Errors

    /// Tells what a result code means for this file; the one place where codes are read.
    func failure(_ code: Int32, sql: String?) -> QueueError {
        switch (code & 0xFF, code) {
        case (SQLITE_CORRUPT, _): return .corrupt(path: path, detail: message)
        case (SQLITE_NOTADB, _): return .notAQueue(path: path)
        case (SQLITE_FULL, _): return .full
        case (SQLITE_BUSY, _): return .busy
        case (_, SQLite.ioErrorSync), (_, SQLite.ioErrorDirectorySync):
            return .syncFailed(detail: message)
        default: return .sqlite(SQLiteError(code: code, message: message, sql: sql))
        }
    }

    private var message: String { String(cString: sqlite3_errmsg(handle)) }
}

/// How far a commit goes before it returns. https://www.sqlite.org/pragma.html#pragma_synchronous
enum Synchronous {
    /// The WAL is synced at every commit: what is committed survives a power loss.
    case full
    /// The WAL is synced before a checkpoint: the last commits may be undone by a power loss.
    case normal
}

/// Extended result codes that are C macros with arithmetic, which Swift does not import.
enum SQLite {
    static let ioErrorSync = SQLITE_IOERR | (4 << 8)
    static let ioErrorDirectorySync = SQLITE_IOERR | (5 << 8)
}
