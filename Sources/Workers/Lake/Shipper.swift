import Base
import Queue

/// Puts sealed batches into the lake, in their order, as often as it takes.
///
///     spool file ─▶ put (durable in the lake) ─▶ mark shipped ─▶ remove the spool file
///
/// A crash between two steps repeats the first of them, which changes nothing: the same name means
/// the same bytes. Only what concerns one object alone, a spool file that is missing or altered or
/// other bytes under its name, lets the batches behind it pass; that batch stays in the books as
/// not shipped, under an alarm, and is looked at again now and then.
///
/// Not `Sendable`: one thread makes it and calls it; tests call it on theirs.
final class Shipper {
    /// What to do after a turn.
    enum Turn: Equatable {
        /// More batches wait.
        case again
        /// All are shipped that can be; look again when one is sealed, or after this.
        case wait(Duration?)
        /// The lake failed; look again after this, and not before.
        case backOff(Duration)
    }

    /// Batches looked up at once.
    static let batchCountMax = 64
    /// How often a batch under an alarm is looked at again.
    static let alarmInterval = Duration.seconds(60)

    private let session: QueueSession
    private let lake: any ObjectLake
    private let backoff: LakeBackoff
    private let spool: SpoolDirectory
    private let health: LakeHealth
    private let metrics: LakeMetrics
    private let log: Log
    private var failureCount = 0
    /// Objects under an alarm, and when they were last looked at.
    private var standing: [String: Duration] = [:]
    private var hasCheckedSpool = false

    init(
        session: QueueSession,
        lake: any ObjectLake,
        backoff: LakeBackoff,
        health: LakeHealth,
        metrics: LakeMetrics,
        log: Log
    ) {
        self.session = session
        self.lake = lake
        self.backoff = backoff
        self.health = health
        self.metrics = metrics
        self.log = log
        spool = SpoolDirectory(path: session.location.spoolDirectory)
    }

    /// Whether the last attempt failed for the lake's own reasons.
    var isBackingOff: Bool { failureCount > 0 }

    /// Ships what is sealed, until all is shipped, the lake fails, or `shouldGoOn` says no.
    ///
    /// - Parameters:
    ///   - uptime: monotonic time.
    ///   - jitter: a fraction in `0..<1`.
    ///   - shouldGoOn: asked before each batch.
    /// - Returns: when to come again.
    /// - Throws: ``QueueError``; the batch at hand is put again then, which changes nothing.
    func turn(
        uptime: Duration,
        jitter: Double,
        shouldGoOn: () -> Bool = { true }
    ) throws(QueueError) -> Turn {
        try checkSpoolOnce(uptime: uptime)
        var last: BatchID?
        var hasShipped = false
        while true {
            let batches = try session.lake.unshippedBatches(
                after: last, limit: Self.batchCountMax)
            guard !batches.isEmpty else { break }
            for batch in batches {
                guard shouldGoOn() else { return .again }
                last = batch.id
                guard isDue(batch, uptime: uptime) else { continue }
                do throws(LakeError) {
                    try put(batch)
                } catch {
                    if error.concernsOneObject {
                        raiseAlarm(batch, error, uptime: uptime)
                        continue
                    }
                    return failed(error, batch, jitter: jitter)
                }
                try settle(batch)
                hasShipped = true
            }
        }
        return hasShipped ? .again : .wait(standing.isEmpty ? nil : Self.alarmInterval)
    }

    private func isDue(_ batch: SealedBatch, uptime: Duration) -> Bool {
        guard let looked = standing[batch.objectName] else { return true }
        return uptime - looked >= Self.alarmInterval
    }

    private func put(_ batch: SealedBatch) throws(LakeError) {
        let start = MonotonicClock.now()
        try lake.put(object(of: batch))
        metrics.shipSeconds.observe(MonotonicClock.now() - start)
    }

    private func object(of batch: SealedBatch) -> SealedObject {
        SealedObject(
            name: batch.objectName, path: spool.path(ofObject: batch.objectName),
            byteCount: batch.byteCount, sha256: batch.sha256)
    }

    /// The lake holds the batch: say so in the books, and then let the spool file go.
    private func settle(_ batch: SealedBatch) throws(QueueError) {
        CrashPoint.reached(.afterPut)
        try session.lake.markShipped(batch, at: .now())
        CrashPoint.reached(.afterMark)
        metrics.shippedBatches.add()
        health.setUnshipped(count: try session.lake.unshippedCount())
        recovered(batch)
        CrashPoint.reached(.beforeRemove)
        do throws(SystemError) {
            try DurableFile.remove(spool.path(ofObject: batch.objectName))
        } catch {
            // It costs disk only; the next start removes what no book wants.
            log.warning(
                "spool file of a shipped batch could not be removed",
                ["object": .string(batch.objectName), "error": .describing(error)])
        }
        CrashPoint.reached(.afterRemove)
    }

    private func recovered(_ batch: SealedBatch) {
        if standing.removeValue(forKey: batch.objectName) != nil {
            health.clearAlarm(object: batch.objectName)
            log.notice(
                "batch under an alarm is in the lake now", ["object": .string(batch.objectName)])
        }
        guard failureCount > 0 else { return }
        log.notice("lake takes objects again", ["failures": .int(failureCount)])
        failureCount = 0
        health.shipping(isHeldUpBy: nil)
    }

    private func failed(_ error: LakeError, _ batch: SealedBatch, jitter: Double) -> Turn {
        failureCount += 1
        metrics.shipFailures.add()
        let delay = backoff.delay(afterFailure: failureCount, of: error, jitter: jitter)
        health.shipping(isHeldUpBy: error.description)
        log.warning(
            "object could not be put into the lake, will try again",
            [
                "object": .string(batch.objectName), "kind": .string(error.kind.rawValue),
                "error": .describing(error), "failures": .int(failureCount),
                "delay_ms": .int(Int(delay.milliseconds)),
            ])
        return .backOff(delay)
    }

    private func raiseAlarm(_ batch: SealedBatch, _ error: LakeError, uptime: Duration) {
        let isNew = standing.updateValue(uptime, forKey: batch.objectName) == nil
        health.raiseAlarm(object: batch.objectName, reason: error.description)
        guard isNew else { return }
        log.error(
            "sealed batch cannot be shipped until a person has looked at it",
            [
                "object": .string(batch.objectName), "statuses": .int(batch.lineCount),
                "kind": .string(error.kind.rawValue), "error": .describing(error),
            ])
    }

    /// Looks once, before anything is shipped, whether every sealed batch still has its file: a
    /// lake that is down must not hide that one is missing.
    private func checkSpoolOnce(uptime: Duration) throws(QueueError) {
        guard !hasCheckedSpool else { return }
        health.setUnshipped(count: try session.lake.unshippedCount())
        var last: BatchID?
        while true {
            let batches = try session.lake.unshippedBatches(
                after: last, limit: Self.batchCountMax)
            for batch in batches {
                last = batch.id
                do throws(LakeError) {
                    try SpoolReader.checkSize(object(of: batch))
                } catch {
                    raiseAlarm(batch, error, uptime: uptime)
                    // Put all the same, at once: the lake may hold the object already.
                    standing[batch.objectName] = uptime - Self.alarmInterval
                }
            }
            if batches.count < Self.batchCountMax { break }
        }
        hasCheckedSpool = true
    }
}
