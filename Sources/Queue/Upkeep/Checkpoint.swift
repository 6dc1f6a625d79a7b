import Base
import CSQLite

/// How a checkpoint ends. https://www.sqlite.org/c3ref/wal_checkpoint_v2.html
public enum CheckpointMode: Sendable {
    /// Copies the WAL into the database; the next commit writes the WAL from its start again.
    case restart
    /// As `restart`, and gives the WAL's space back to the disk.
    case truncate
}

/// What a checkpoint reached.
public struct CheckpointResult: Sendable, Equatable {
    /// Pages in the WAL when it ran.
    public let walPages: Int
    /// Those of them that are in the database now.
    public let copiedPages: Int
    /// A reader still needs the WAL, so that it goes on growing until the next time.
    public let isIncomplete: Bool
}

extension QueueSession {
    /// Copies the WAL into the database, under the gate.
    ///
    /// Blocks for the gate and two syncs. Never waits for a reader: what one still needs is left
    /// for the next time, since all acknowledgements would wait with it.
    ///
    /// - Throws: ``QueueError/full``, ``QueueError/syncFailed(detail:)``.
    @discardableResult
    public func checkpoint(_ mode: CheckpointMode) throws(QueueError) -> CheckpointResult {
        connection.gate.lock()
        defer { connection.gate.unlock() }

        return try checkpointHoldingGate(mode)
    }

    /// As ``checkpoint(_:)``, for a caller that holds the gate and gives it up afterwards.
    @discardableResult
    public func checkpointHoldingGate(
        _ mode: CheckpointMode
    ) throws(QueueError) -> CheckpointResult {
        CrashPoint.reached(.beforeCheckpoint)
        let result = try connection.checkpoint(mode)
        CrashPoint.reached(.afterCheckpoint)
        return result
    }

    /// Size of the WAL file in bytes; it keeps its size when it is written from its start again.
    public var walByteCount: Int { FileFacts.byteCount(location.walPath) }
}

extension Connection {
    fileprivate func checkpoint(_ mode: CheckpointMode) throws(QueueError) -> CheckpointResult {
        precondition(gate.isHeld, "a checkpoint outside the gate can lose acknowledged pages")
        var walPages: Int32 = 0
        var copiedPages: Int32 = 0
        // With a busy handler SQLite would wait for readers while every writer waits for the gate.
        sqlite3_busy_timeout(handle, 0)
        defer { sqlite3_busy_timeout(handle, Self.busyTimeoutMilliseconds) }

        let flag =
            switch mode {
            case .restart: SQLITE_CHECKPOINT_RESTART
            case .truncate: SQLITE_CHECKPOINT_TRUNCATE
            }
        let code = sqlite3_wal_checkpoint_v2(handle, nil, flag, &walPages, &copiedPages)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw failure(code, sql: "wal_checkpoint")
        }
        if code == SQLITE_OK { restartedWAL() }
        return CheckpointResult(
            walPages: max(0, Int(walPages)), copiedPages: max(0, Int(copiedPages)),
            isIncomplete: code != SQLITE_OK)
    }
}
