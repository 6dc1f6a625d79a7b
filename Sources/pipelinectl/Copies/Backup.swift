import Base
import Glibc
import Queue

/// Makes a copy of a queue that stands by itself: the database, and the spool files it counts on.
///
/// The database comes last: while a backup's own name is not there, there is no backup.
///
///     vacuum into .NAME.tmp ─▶ settle what the lake took meanwhile ─▶ copy spool files
///         ─▶ sync ─▶ link as NAME ─▶ sync the directory
struct Backup {
    let session: QueueSession
    /// Where the copy's database will be.
    let target: QueueLocation

    /// What was copied.
    struct Report {
        var byteCount = 0
        var batchCount = 0
        /// The WAL when the copy began, and when it ended: it could not be restarted meanwhile.
        var walByteCount = (before: 0, after: 0)
        var duration = Duration.zero
    }

    /// Makes the copy; blocks for as long as it takes, and holds up nobody.
    func run() throws(Failure) -> Report {
        var report = Report()
        let start = MonotonicClock.now()
        report.walByteCount.before = session.walByteCount
        guard !FileFacts.exists(target.path) else {
            throw .failed("\(target.path) is there, and a backup replaces nothing: name another")
        }
        let passing = try Failure.system { () throws(SystemError) in
            try PassingDatabase(for: target.path)
        }
        try Failure.queue { () throws(QueueError) in
            try session.copyDatabase(into: passing.path)
        }
        report.walByteCount.after = session.walByteCount
        report.batchCount = try completeCopy(passing.path)
        report.byteCount = FileFacts.byteCount(passing.path)
        try Failure.system { () throws(SystemError) in try passing.finish() }
        report.duration = MonotonicClock.now() - start
        return report
    }

    private func completeCopy(_ path: String) throws(Failure) -> Int {
        let copy = try Failure.queue { () throws(QueueError) in
            let copy = try QueueCopy(path: path, access: .write)
            try copy.mark()
            return copy
        }
        var count = 0
        var last: BatchID?
        while true {
            let batches = try Failure.queue { () throws(QueueError) in
                try copy.unshippedBatches(after: last)
            }
            guard let end = batches.last else { return count }
            if last == nil {
                try Failure.system { () throws(SystemError) in
                    try DurableFile.makeDirectory(target.spoolDirectory)
                }
            }
            for batch in batches { count += try settle(batch, in: copy) ? 1 : 0 }
            last = end.id
        }
    }

    /// - Returns: whether the spool file was copied; the lake may have taken it meanwhile.
    private func settle(_ batch: SealedBatch, in copy: QueueCopy) throws(Failure) -> Bool {
        let source = session.location.spoolPath(of: batch)
        let state = try Failure.system { () throws(SystemError) in
            try BatchFile.copy(batch, from: source, to: target.spoolPath(of: batch))
        }
        if state == .whole { return true }
        // A spool file goes only after the books say that the lake has it.
        let shippedAt = try Failure.queue { () throws(QueueError) in
            try session.shippedAt(batch)
        }
        guard let shippedAt else {
            throw .failed(
                "\(source) \(state == .missing ? "is missing" : "differs from its hash"): "
                    + "see `pipelinectl verify`; nothing was backed up")
        }
        try Failure.queue { () throws(QueueError) in
            try copy.markShipped(batch, at: shippedAt)
        }
        return false
    }
}

/// A database file under a passing name, closed to other users, until it is whole and durable.
final class PassingDatabase {
    /// Where it is written.
    let path: String
    private let target: String
    private var isFinished = false

    /// Makes it, empty.
    ///
    /// - Throws: ``SystemError``, EEXIST where there is something at `target`.
    init(for target: String) throws(SystemError) {
        var facts = stat()
        guard lstat(target, &facts) != 0 else {
            throw SystemError(call: "open", code: EEXIST, path: target)
        }
        self.target = target
        let passing = NewFile.passingPath(for: target)
        path = passing
        try DurableFile.remove(passing)
        let raw = try systemCall("open", path: passing) {
            open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        close(raw)
    }

    deinit {
        guard !isFinished else { return }
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
    }

    /// Syncs the file and gives it its name, which must be free; no connection has it open.
    func finish() throws(SystemError) {
        let file = Descriptor(
            adopting: try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) })
        try systemCall("fsync", path: path) { fsync(file.rawValue) }
        CrashPoint.reached(.insideBackup)
        try systemCall("link", path: target) { link(path, target) }
        isFinished = true
        try DurableFile.remove(path)
        try DurableFile.syncDirectory(DurableFile.parent(of: target))
    }
}
