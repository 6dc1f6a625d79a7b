import Base
import Queue

/// Removes what nobody needs any more, in slices, and keeps the WAL and the disk within bounds.
///
/// Not `Sendable`: one thread makes it and calls ``turn(now:)``; tests call it on theirs.
final class Housekeeper {
    /// Slices of one turn; the rest waits for the next, so that checkpoints are not put off.
    private static let sliceCountMax = 64

    private let session: QueueSession
    private let settings: UpkeepSettings
    private let metrics: UpkeepMetrics
    private let log: Log
    private let ballast: Ballast
    private let freeByteCount: (_ path: String) throws(SystemError) -> Int

    private var logPace = SlicePace()
    private var deliveredPace = SlicePace()
    private var seenPace = SlicePace()
    private var shippedPace = SlicePace()
    private var checkpoint: CheckpointRule

    init(
        session: QueueSession,
        settings: UpkeepSettings,
        metrics: UpkeepMetrics,
        log: Log,
        freeByteCount: @escaping (_ path: String) throws(SystemError) -> Int = FreeSpace.byteCount
    ) {
        self.session = session
        self.settings = settings
        self.metrics = metrics
        self.log = log
        self.freeByteCount = freeByteCount
        ballast = Ballast(
            path: session.location.ballastPath, reserveByteCount: settings.diskFreeBytesMin)
        checkpoint = CheckpointRule(byteCountMax: settings.walBytesMax)
    }

    /// Does what is due, at most some dozens of slices of each kind.
    ///
    /// - Parameter now: wall time, against which retention is measured.
    /// - Returns: whether more is due at once.
    /// - Throws: ``QueueError``; what was not done is due again.
    func turn(now: Timestamp) throws(QueueError) -> Bool {
        let isShort = try keepDiskWithinBounds()
        // On a full disk the checkpoint comes first: deletes need room in the WAL.
        try checkpointWhenDue()
        let books = session.upkeep
        let isNearlyFull = try isQueueNearlyFull()
        let cut = isShort || isNearlyFull ? now : now - settings.retainDelivered
        var hasMore = try purge(&logPace, metrics.logRows) { (limit) throws(QueueError) in
            try books.purgeLog(limit: limit)
        }
        hasMore =
            try purge(&deliveredPace, metrics.deliveredRows) { (limit) throws(QueueError) in
                try books.purgeDelivered(before: cut, limit: limit)
            } || hasMore
        hasMore =
            try purge(&seenPace, metrics.seenRows) { (limit) throws(QueueError) in
                try books.expireSeen(window: settings.dedupWindow, now: now, limit: limit)
            } || hasMore
        hasMore =
            try purge(&shippedPace, metrics.shippedRows) { (limit) throws(QueueError) in
                try books.purgeShipped(before: now - settings.retainShipped, limit: limit)
            } || hasMore
        try checkpointWhenDue()
        return hasMore
    }

    /// Runs slices until one runs dry.
    ///
    /// - Returns: whether there may be more.
    private func purge(
        _ pace: inout SlicePace,
        _ counter: Counter,
        slice: (_ limit: Int) throws(QueueError) -> Int
    ) throws(QueueError) -> Bool {
        for _ in 0..<Self.sliceCountMax {
            let limit = pace.limit
            let count = try slice(limit)
            guard count > 0 else { return false }
            counter.add(count)
            let held = session.lastHold
            metrics.sliceSeconds.observe(held)
            pace.learn(rowCount: count, held: held)
            guard count >= limit else { return false }
        }
        return true
    }

    private func checkpointWhenDue() throws(QueueError) {
        let mode = checkpoint.mode(
            fileByteCount: session.walByteCount,
            usedByteCount: session.walPages * session.pageByteCount)
        guard let mode else { return }
        let start = MonotonicClock.now()
        let result = try session.checkpoint(mode)
        metrics.checkpointSeconds.observe(MonotonicClock.now() - start)
        if result.isIncomplete { metrics.incompleteCheckpoints.add() }
        checkpoint.ran(isIncomplete: result.isIncomplete, fileByteCount: session.walByteCount)
    }

    /// - Returns: whether delivered rows have to make room before ingest must refuse.
    private func keepDiskWithinBounds() throws(QueueError) -> Bool {
        guard settings.diskFreeBytesMin > 0 else { return false }
        let free: Int
        do throws(SystemError) {
            free = try freeByteCount(session.location.directory)
            try adjustBallast(freeByteCount: free)
        } catch {
            throw .file(error)
        }
        metrics.freeBytes.set(Double(free))
        // Free pages of the file are room as well as free disk; a quarter early, to be in time.
        let needed = settings.diskFreeBytesMin / 4 * 5
        guard free < needed else { return false }
        return free + (try session.freeByteCount()) < needed
    }

    private func adjustBallast(freeByteCount: Int) throws(SystemError) {
        switch ballast.step(freeByteCount: freeByteCount, isThere: ballast.isThere) {
        case .keep:
            break
        case .giveUp:
            try ballast.giveUp()
            log.error(
                "disk is short, the ballast file is given up to drain the queue",
                ["free_bytes": .int(freeByteCount)])
        case .make:
            try ballast.make()
            log.info("ballast file made", ["bytes": .int(ballast.byteCount)])
        }
    }

    private func isQueueNearlyFull() throws(QueueError) -> Bool {
        guard settings.queueBytesMax > 0 else { return false }
        // As ingest counts: the file of the WAL keeps its size when it is empty again.
        let walExcess = max(0, session.walByteCount - 2 * settings.walBytesMax)
        let used = try session.usedByteCount() + walExcess
        return used > settings.queueBytesMax / 10 * 9
    }
}
