import Base
import Glibc
import Queue

extension Sealer {
    func closeBefore(
        _ webhook: StoredWebhook,
        statusCount: Int
    ) throws(QueueError) -> Bool {
        guard let batch, let position else { return false }
        let closes = settings.rules.closes(
            batch.measure, before: webhook.receivedAt, lineByteCount: lines.count,
            statusCount: statusCount)
        guard closes else { return false }
        try close(through: position)
        return true
    }

    func closeByAge(
        through position: WebhookID,
        now: Timestamp,
        uptime: Duration,
        isCaughtUp: Bool
    ) throws(QueueError) {
        guard let batch else { return }
        let left = settings.rules.timeLeft(
            for: batch.measure, now: now, uptime: uptime, isCaughtUp: isCaughtUp)
        if left <= .zero { try close(through: position) }
    }

    /// Seals the open batch, where there is one; the cursor then stands at `position`.
    func close(through position: WebhookID) throws(QueueError) {
        guard let batch else { return }
        let start = MonotonicClock.now()
        let (name, receipt) = try publish(batch, through: position)
        CrashPoint.reached(.afterSpoolFile)
        try session.lake.recordSeen(batch.sortedKeys())
        CrashPoint.reached(.afterSeen)
        let sealed = SealedBatch(
            objectName: name, sha256: receipt.sha256, byteCount: receipt.byteCount,
            lineCount: batch.measure.statusCount, firstID: batch.firstID, lastID: position,
            sealedAt: .now())
        try session.lake.seal(
            sealed, foundCount: progress.foundCount, doubleCount: progress.doubleCount)
        CrashPoint.reached(.afterSeal)
        metrics.sealSeconds.observe(MonotonicClock.now() - start)
        count(batch, receipt)
        log.debug(
            "batch sealed",
            [
                "object": .string(name), "first_webhook": .int(Int(batch.firstID.rawValue)),
                "last_webhook": .int(Int(position.rawValue)),
                "statuses": .int(batch.measure.statusCount),
            ])
        self.batch = nil
        passed()
        onSeal()
    }

    private func publish(
        _ batch: OpenBatch,
        through position: WebhookID
    ) throws(QueueError) -> (name: String, receipt: SpoolWriter.Receipt) {
        do throws(SystemError) {
            let receipt = try batch.writer.finish()
            let name = ObjectName(
                queueID: session.queueID, hour: batch.measure.firstReceivedAt,
                firstID: batch.firstID.rawValue, lastID: position.rawValue,
                sha256: receipt.sha256, compression: settings.compression)
            try batch.writer.publish(as: name.text)
            return (name.text, receipt)
        } catch {
            throw QueueError(spool: error)
        }
    }

    private func count(_ batch: OpenBatch, _ receipt: SpoolWriter.Receipt) {
        metrics.statuses.add(batch.measure.statusCount)
        metrics.lineBytes.add(batch.measure.lineByteCount)
        metrics.objectBytes.add(receipt.byteCount)
        metrics.sealedBatches.add()
    }

    /// The books hold all that was read so far.
    private func passed() {
        metrics.webhooks.add(progress.webhookCount)
        metrics.doubles.add(progress.doubleCount)
        metrics.loneSurrogates.add(progress.surrogateCount)
        progress = Progress()
    }

    /// Moves the cursor past webhooks that gave no line, now and then; never while a batch is open,
    /// whose webhooks lie behind it.
    func advanceWhenDue(to position: WebhookID, uptime: Duration) throws(QueueError) {
        guard batch == nil, progress.webhookCount > 0 else { return }
        let isDue =
            progress.webhookCount >= Self.advanceCountMax
            || uptime - advancedAt >= Self.advanceInterval
        guard isDue else { return }
        try advance(to: position)
        advancedAt = uptime
    }

    func advance(to position: WebhookID) throws(QueueError) {
        guard batch == nil, progress.webhookCount > 0 else { return }
        try session.lake.advance(
            to: position, foundCount: progress.foundCount, doubleCount: progress.doubleCount)
        passed()
    }

    func timeLeft(now: Timestamp, uptime: Duration) -> Duration {
        guard let batch else { return Self.waitMax }
        let left = settings.rules.timeLeft(
            for: batch.measure, now: now, uptime: uptime, isCaughtUp: true)
        return max(.zero, min(left, Self.waitMax))
    }

    func report(
        position: WebhookID,
        last: StoredWebhook?
    ) throws(QueueError) {
        let lag = max(0, Int(try session.log.lastID().rawValue - position.rawValue))
        health.backlog(
            webhookCount: lag,
            oldestReceivedAt: batch?.measure.firstReceivedAt ?? (lag > 0 ? last?.receivedAt : nil))
    }
}

extension QueueError {
    /// A failure in the spool directory, which lies beside the queue and fails like it.
    init(spool error: SystemError) {
        switch error.code {
        case ENOSPC, EDQUOT: self = .full
        default: self = .file(error)
        }
    }
}
