import Glibc

/// Steps between sealing and deleting a spool file at which a test kills the process.
///
/// A debug build whose environment names a point in `PIPELINE_CRASH_POINT` dies there by SIGKILL,
/// the first time it comes by. A release build has none of this.
enum CrashPoint: String, CaseIterable, Sendable {
    /// The spool file is durable; the books know nothing of it.
    case afterSpoolFile = "after-spool-file"
    /// The keys are recorded; the batch is not.
    case afterSeen = "after-seen"
    /// The batch is recorded; nothing has left the machine.
    case afterSeal = "after-seal"
    /// The object's bytes are in the lake's directory under a passing name.
    case insidePut = "inside-put"
    /// The lake holds the object; the books do not say so.
    case afterPut = "after-put"
    /// The books say shipped; the spool file is still there.
    case afterMark = "after-mark"
    /// As `afterMark`, with the file about to go.
    case beforeRemove = "before-remove"
    /// All done for this batch.
    case afterRemove = "after-remove"

    /// Dies here where the environment says so.
    static func reached(_ point: CrashPoint) {
        #if DEBUG
            if point == chosen { kill(getpid(), SIGKILL) }
        #endif
    }

    #if DEBUG
        private static let chosen = getenv("PIPELINE_CRASH_POINT")
            .flatMap { CrashPoint(rawValue: String(cString: $0)) }
    #endif
}
