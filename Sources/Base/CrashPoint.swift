import Glibc
import Synchronization

/// A step at which a test kills the process: between two things that must not come apart.
///
/// A debug build whose environment names a point in `PIPELINE_CRASH_POINT` dies there by SIGKILL
/// the first time it comes by, or the N-th time with `PIPELINE_CRASH_POINT=NAME:N`. A release build
/// has none of this. docs/RELIABILITY.md lists every point with what must hold after it.
public enum CrashPoint: String, CaseIterable, Sendable {
    // MARK: ingest

    /// The webhooks of a group are inserted; their transaction is open.
    case insideAppend = "inside-append"
    /// A group is committed and synced; nobody has been answered.
    case afterCommit = "after-commit"

    // MARK: the file

    /// The database file is there, empty.
    case afterCreateFile = "after-create-file"
    /// A migration's statements have run; its transaction is open.
    case insideMigration = "inside-migration"
    /// One migration is committed; the next has not begun.
    case afterMigration = "after-migration"
    /// A checkpoint is about to run, under the gate.
    case beforeCheckpoint = "before-checkpoint"
    /// A checkpoint has run; the gate is still held.
    case afterCheckpoint = "after-checkpoint"

    // MARK: the lake pool

    /// The spool file is durable; the books know nothing of it.
    case afterSpoolFile = "after-spool-file"
    /// The keys are recorded; the batch is not.
    case afterSeen = "after-seen"
    /// The batch is recorded; nothing has left the machine.
    case afterSeal = "after-seal"
    /// The object's bytes are in the lake's directory under a passing name, or about to be sent to
    /// a service.
    case insidePut = "inside-put"
    /// Firehose has taken a request of a batch; the books do not say so.
    case afterRequest = "after-request"
    /// The lake holds the object; the books do not say so.
    case afterPut = "after-put"
    /// The books say shipped; the spool file is still there.
    case afterMark = "after-mark"
    /// As `afterMark`, with the file about to go.
    case beforeRemove = "before-remove"
    /// All done for this batch.
    case afterRemove = "after-remove"

    // MARK: the forward pool

    /// Deliveries are inserted; the transaction that moves the cursor is open.
    case insideAccept = "inside-accept"
    /// Deliveries and cursor are committed; none is under way.
    case afterAccept = "after-accept"
    /// The receiver has answered; the books do not say so.
    case afterAnswer = "after-answer"
    /// What became of attempts is written; the transaction is open.
    case insideSettle = "inside-settle"
    /// What became of attempts is committed.
    case afterSettle = "after-settle"

    // MARK: upkeep

    /// Webhooks that both consumers have read are deleted; the transaction is open.
    case insidePurgeLog = "inside-purge-log"
    /// Delivered rows are deleted, the transaction is open.
    case insidePurgeDelivered = "inside-purge-delivered"

    // MARK: pipelinectl

    /// One slice of dead letters is replayed or discarded; its transaction is open.
    case insideDeadSlice = "inside-dead-slice"
    /// One slice of dead letters is replayed or discarded; others are not yet.
    case afterDeadSlice = "after-dead-slice"
    /// A slice of dead letters is taken in from elsewhere; its transaction is open.
    case insideImport = "inside-import"
    /// Such a slice is committed; others are not yet.
    case afterImport = "after-import"
    /// A dead letter has another body; its transaction is open.
    case insideEdit = "inside-edit"
    /// A slice of delivered messages waits again; its transaction is open.
    case insideReplay = "inside-replay"

    /// A backup is written and synced; it has not got its name.
    case insideBackup = "inside-backup"

    /// One delivery of a person is removed; its transaction is open.
    case insideErase = "inside-erase"

    /// Dies here where the environment says so.
    public static func reached(_ point: CrashPoint) {
        #if DEBUG
            guard let chosen, chosen.point == point else { return }
            guard passes.wrappingAdd(1, ordering: .relaxed).newValue == chosen.pass else { return }
            kill(getpid(), SIGKILL)
        #endif
    }

    #if DEBUG
        private static let passes = Atomic<Int>(0)

        private static let chosen: (point: CrashPoint, pass: Int)? =
            getenv("PIPELINE_CRASH_POINT").map { parse(String(cString: $0)) }

        /// A name that is not in the list is a mistake of the test, which would wait for nothing.
        private static func parse(_ text: String) -> (point: CrashPoint, pass: Int) {
            let words = text.split(separator: ":", maxSplits: 1)
            guard let name = words.first, let point = CrashPoint(rawValue: String(name)),
                let pass = words.count == 2 ? Int(words[1]) : 1
            else { preconditionFailure("PIPELINE_CRASH_POINT=\(text): no such point") }
            return (point, pass)
        }
    #endif
}
