import Base
import CSQLite
import Glibc

/// Makes a queue file and brings it to this program's schema.
///
/// Each migration is one transaction under the gate together with the version it leads to, so that
/// a crash leaves the schema before it or after it. A file that says it needs a newer program is
/// refused untouched.
struct Migrator {
    let connection: Connection

    /// `WAPQ`: marks the file as ours, so that another database is never taken for a queue.
    private static let applicationID: Int64 = 0x5741_5051

    /// Makes the database file where there is none, readable by its owner only.
    ///
    /// - Throws: ``QueueError/file(_:)``.
    static func createFile(at location: QueueLocation) throws(QueueError) {
        do throws(SystemError) {
            // O_EXCL: an existing file must not be opened here, closing it would drop SQLite's
            // locks.
            let raw = open(location.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if raw == -1 {
                let code = errno
                guard code == EEXIST else {
                    throw SystemError(call: "open", code: code, path: location.path)
                }
                return
            }
            close(raw)
            CrashPoint.reached(.afterCreateFile)
            try DurableFile.syncDirectory(location.directory)
        } catch {
            throw .file(error)
        }
    }

    /// Brings an empty or older file to the newest schema.
    ///
    /// - Throws: ``QueueError/newerSchema(path:found:supported:)``,
    ///   ``QueueError/notAQueue(path:)``, ``QueueError/corrupt(path:detail:)``.
    func migrate() throws(QueueError) {
        connection.gate.lock()
        defer { connection.gate.unlock() }

        if try isEmpty() { try prepareFile() }
        try refuseUnlessOurs()
        var version = try currentVersion()
        while version < Migration.newestVersion {
            let migration = Migration.all[version]
            try connection.writeHoldingGate { () throws(QueueError) in
                try apply(migration)
            }
            CrashPoint.reached(.afterMigration)
            version = migration.version
        }
        try takeOverCopy()
    }

    /// Makes a queue of a backup that was put in its place: WAL mode, and an identity of its own.
    ///
    /// See ``QueueCopy`` for why it needs one.
    private func takeOverCopy() throws(QueueError) {
        guard try connection.scalar("pragma user_version") == 1 else { return }
        try connection.execute("pragma journal_mode = wal")
        try connection.writeHoldingGate { () throws(QueueError) in
            try connection.execute(
                "update queue set queue_id = lower(hex(randomblob(6))); pragma user_version = 0")
        }
    }

    /// Refuses a file that is not ours, or whose schema this program cannot work with.
    func refuseUnlessCurrent() throws(QueueError) {
        if try isEmpty() { throw .notAQueue(path: connection.path) }
        try refuseUnlessOurs()
        let version = try currentVersion()
        guard version >= Migration.newestVersion else {
            throw .olderSchema(
                path: connection.path, found: version, needed: Migration.newestVersion)
        }
    }

    private func isEmpty() throws(QueueError) -> Bool {
        let tableCount = try connection.scalar("select count(*) from sqlite_schema")
        let applicationID = try connection.scalar("pragma application_id")
        return tableCount == 0 && applicationID == 0
    }

    /// Settings that must precede the first table.
    ///
    /// Pages of 8 KiB did best with rows of 700 bytes: a group fills several, and a single webhook
    /// costs the WAL half of what it does with 16 KiB (docs/decisions/0011).
    private func prepareFile() throws(QueueError) {
        try connection.execute("pragma page_size = 8192")
        try connection.execute("pragma journal_mode = wal")
        try connection.execute("pragma application_id = 1463898193")
    }

    /// Refuses another program's database, and a schema that is too new.
    func refuseUnlessOurs() throws(QueueError) {
        guard try connection.scalar("pragma application_id") == Self.applicationID else {
            throw .notAQueue(path: connection.path)
        }
        let hasVersion =
            try connection.scalar("select 1 from sqlite_schema where name = 'queue'") != nil
        guard hasVersion else { return }
        let needed =
            try connection.scalar("select schema_version_compatible from queue") ?? 0
        let supported = Migration.newestVersion
        guard Int(needed) <= supported else {
            throw .newerSchema(path: connection.path, found: Int(needed), supported: supported)
        }
    }

    private func currentVersion() throws(QueueError) -> Int {
        let hasVersion =
            try connection.scalar("select 1 from sqlite_schema where name = 'queue'") != nil
        guard hasVersion else { return 0 }
        // The row comes with the table, in one transaction: without it the page is damaged.
        guard let version = try connection.scalar("select schema_version from queue"), version > 0
        else { throw .corrupt(path: connection.path, detail: "its identity cannot be read") }
        return Int(version)
    }

    private func apply(_ migration: Migration) throws(QueueError) {
        try connection.execute(migration.sql)
        CrashPoint.reached(.insideMigration)
        if migration.version == 1 {
            let first = try connection.statement(
                "insert into queue values (1, lower(hex(randomblob(6))), ?1, 0, 0)")
            first.bind(1, Timestamp.now().rawValue)
            try first.run()
        }
        let stamp = try connection.statement(
            "update queue set schema_version = ?1, schema_version_compatible = ?2")
        stamp.bind(1, migration.version)
        stamp.bind(2, migration.compatibleFrom)
        try stamp.run()
    }
}
