import CSQLite
import TestSupport
import Testing

@testable import Queue

/// The WAL-reset bug on this machine's own SQLite: lost without the gate, nothing lost with it.
///
/// The schedule, in which each step is an ordinary call:
///
/// 1. the writer commits a long transaction, and a checkpoint copies all of it;
/// 2. a checkpoint of another connection reads the WAL's header;
/// 3. the writer commits a few rows, and they are acknowledged: the WAL begins anew;
/// 4. the checkpoint goes on, and notes the old length as copied;
/// 5. the WAL grows past that length, and the next checkpoint skips what lies before it.
@Suite(.serialized) struct WALResetTests {
    /// What stood in the database at step 3, what stands there at the end.
    private struct Outcome: CustomStringConvertible {
        let acknowledged: String
        let kept: String
        let integrity: String

        var isWhole: Bool { acknowledged == kept && integrity == "ok" }
        var description: String {
            "acknowledged \(acknowledged), kept \(kept), integrity \(integrity)"
        }
    }

    private static let hasBug = SQLiteLibrary.version.hasWALResetBug

    /// The rows that the schedule writes; ids tell them apart.
    private static let table = "create table t (id integer primary key, b blob)"
    private static let rows = """
        with s (i) as (select 1 union all select i + 1 from s where i < 2000)
        insert into t select null, randomblob(3000) from s
        """
    private static let longChange = "update t set b = randomblob(3000) where id <= 300"
    private static let acknowledged = "insert into t select null, zeroblob(3000) from t limit 20"
    private static let longerChange = "update t set b = randomblob(3000) where id <= 500"
    private static let count = "select count(*) from t"

    @Test func `without a gate a passive checkpoint loses what was acknowledged`() throws {
        let outcome = try race { checkpointer, writer, window in
            let wasMet = try window.during {
                checkpointer.checkpoint(SQLITE_CHECKPOINT_PASSIVE)
            } inside: {
                try writer.run(Self.acknowledged)
            }
            #expect(wasMet, "the checkpoint has no window to test")
        }
        #expect(outcome.isWhole == !Self.hasBug, "\(SQLiteLibrary.version): \(outcome)")
    }

    @Test func `a restart that finds a writer at work is passive, and loses as much`() throws {
        let outcome = try race { checkpointer, writer, window in
            try writer.run("begin immediate")
            let wasMet = try window.during {
                #expect(checkpointer.checkpoint(SQLITE_CHECKPOINT_RESTART) == SQLITE_BUSY)
            } inside: {
                try writer.run(Self.acknowledged)
                try writer.run("commit")
            }
            #expect(wasMet, "the checkpoint has no window to test")
        }
        #expect(outcome.isWhole == !Self.hasBug, "\(SQLiteLibrary.version): \(outcome)")
    }

    @Test func `inside the gate the same schedule loses nothing`() throws {
        let directory = try TemporaryDirectory()
        let location = QueueLocation(path: directory.file("raced.db"))
        // A gate each, as two programs have.
        let (ours, theirs) = (try Gate.open(location), try Gate.open(location))
        let outcome = try race(at: location.path) { checkpointer, writer, window in
            var wasRefused = false
            ours.lock()
            let wasMet = try window.during {
                checkpointer.checkpoint(SQLITE_CHECKPOINT_PASSIVE)
            } inside: {
                wasRefused = !theirs.tryLock()
                if !wasRefused { try writer.run(Self.acknowledged) }
            }
            ours.unlock()
            #expect(wasMet && wasRefused)
            theirs.lock()
            try writer.run(Self.acknowledged)
            theirs.unlock()
        }
        #expect(outcome.isWhole, "\(outcome)")
    }

    @Test func `a checkpoint of ours keeps every other program out of its window`() throws {
        let queue = try QueueFixture()
        let checkpointer = try queue.open(.upkeep)
        let writer = try queue.open()
        let theirs = try Gate.open(queue.location)
        _ = try checkpointer.books()
        try writer.append((1...200).map { "body \($0)" })
        try writer.checkpoint(.restart)
        let window = try #require(CheckpointWindow(checkpointer.connection.handle))
        var wasRefused = false
        let wasMet = try window.during {
            try checkpointer.checkpoint(.restart)
        } inside: {
            wasRefused = !theirs.tryLock()
        }
        #expect(wasMet && wasRefused)
    }

    private func race(
        at path: String? = nil,
        _ steps: (RawDatabase, RawDatabase, CheckpointWindow) throws -> Void
    ) throws -> Outcome {
        let directory = try TemporaryDirectory()
        let path = path ?? directory.file("raced.db")
        let writer = try RawDatabase(path)
        try writer.run(Self.table)
        try writer.run(Self.rows)
        writer.checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
        let checkpointer = try RawDatabase(path)
        _ = checkpointer.text(Self.count)
        try writer.run(Self.longChange)
        writer.checkpoint(SQLITE_CHECKPOINT_PASSIVE)
        do {
            let window = try #require(CheckpointWindow(checkpointer.handle))
            try steps(checkpointer, writer, window)
        }
        let acknowledged = writer.text(Self.count)
        try writer.run(Self.longerChange)
        writer.checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
        let reader = try RawDatabase(path)
        return Outcome(
            acknowledged: acknowledged, kept: reader.text(Self.count),
            integrity: reader.text("pragma integrity_check(1)"))
    }
}
