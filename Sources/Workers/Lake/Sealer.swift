import Base
import Glibc
import Queue
import WhatsApp

/// Turns the log into sealed batches, each status once.
///
/// The durable state is in the queue: the cursor, the keys, the batches. What is in memory, and the
/// file of the open batch, lies behind the cursor and is made again from the log after a crash,
/// after an error, and at each start:
///
///     read ─▶ split ─▶ drop doubles ─▶ lines ─▶ spool file          nothing durable yet
///     close: sync file ─▶ rename ─▶ sync directory ─▶ keys ─▶ batch + cursor (one synced commit)
///
/// A status is a double when a webhook with a smaller id held its key, or the open batch does. A
/// key whose holder is the webhook at hand, or a later one, was left by a run that died between
/// keys and batch: those webhooks are read again, and a key is no double of itself.
///
/// Not `Sendable`: one thread makes it and calls ``turn(now:uptime:)``; tests call it on theirs.
final class Sealer {
    /// What to do after a turn.
    enum Turn: Equatable {
        /// More webhooks wait.
        case again
        /// Nothing waits; look again when the queue changes, and after this at the latest.
        case wait(Duration)
        /// The disk has no room for batches that cannot leave it; look again in a second.
        case paused
    }

    /// How often the cursor is moved past webhooks that hold no new status.
    static let advanceInterval = Duration.seconds(1)
    static let advanceCountMax = 10_000
    /// The longest wait: the net under the watcher, and how soon a full disk is looked at again.
    static let waitMax = Duration.seconds(1)

    /// What was read since the cursor last moved.
    struct Progress {
        var webhookCount = 0
        var foundCount = 0
        var doubleCount = 0
        var surrogateCount = 0
    }

    let session: QueueSession
    let settings: LakeSettings
    let spool: SpoolDirectory
    let health: LakeHealth
    let metrics: LakeMetrics
    let splitter: WebhookSplitter
    let room: SealingRoom
    let log: Log
    let onSeal: () -> Void

    /// The last webhook that was read; nil where the next turn begins again from the books.
    var position: WebhookID?
    var batch: OpenBatch?
    var progress = Progress()
    var advancedAt = Duration.zero
    var lines: [UInt8] = []
    var bodyEvents: Set<EventKey> = []

    init(
        session: QueueSession,
        settings: LakeSettings,
        health: LakeHealth,
        metrics: LakeMetrics,
        room: SealingRoom? = nil,
        log: Log = .disabled,
        onSeal: @escaping () -> Void = {}
    ) {
        self.log = log
        self.onSeal = onSeal
        self.session = session
        self.settings = settings
        self.health = health
        self.metrics = metrics
        spool = SpoolDirectory(path: session.location.spoolDirectory)
        splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])
        self.room = room ?? SealingRoom(floor: settings.diskFreeBytesMin)
    }

    /// Reads the next slice of the log, and closes what has to close.
    ///
    /// - Parameters:
    ///   - now: wall time, against the time of receipt.
    ///   - uptime: monotonic time.
    /// - Returns: when to come again.
    /// - Throws: ``QueueError``; the open batch is given up then, and the next turn makes it again.
    func turn(now: Timestamp, uptime: Duration) throws(QueueError) -> Turn {
        do throws(QueueError) {
            return try lookAndSeal(now: now, uptime: uptime)
        } catch {
            metrics.sealFailures.add()
            abandon()
            throw error
        }
    }

    /// Seals what is open, for a stop: a host that retires leaves no status behind in its queue.
    func finish() throws(QueueError) {
        do throws(QueueError) {
            guard let position else { return }
            try close(through: position)
            try advance(to: position)
        } catch {
            abandon()
            throw error
        }
    }

    private func lookAndSeal(now: Timestamp, uptime: Duration) throws(QueueError) -> Turn {
        guard try hasRoom() else { return .paused }
        let start = if let position { position } else { try begin(uptime: uptime) }
        let webhooks = try session.log.read(
            after: start, limit: LogSlice.webhookCountMax, byteCountMax: LogSlice.byteCountMax)
        if !webhooks.isEmpty { try take(webhooks, uptime: uptime) }

        let position = self.position ?? start
        // A look that came back short has seen the end of the log.
        let isCaughtUp = webhooks.isEmpty
        try closeByAge(through: position, now: now, uptime: uptime, isCaughtUp: isCaughtUp)
        try advanceWhenDue(to: position, uptime: uptime)
        try report(position: position, last: webhooks.last)
        guard isCaughtUp else { return .again }
        return .wait(timeLeft(now: now, uptime: uptime))
    }

    // MARK: Start

    /// Begins from the books: removes what no book knows, and reads behind the cursor.
    private func begin(uptime: Duration) throws(QueueError) -> WebhookID {
        do throws(SystemError) {
            try spool.removeOpenFile()
        } catch {
            throw QueueError(spool: error)
        }
        for name in try spooledObjects() {
            if try session.lake.isUnshipped(objectName: name) { continue }
            do throws(SystemError) {
                try DurableFile.remove(spool.path(ofObject: name))
            } catch {
                throw QueueError(spool: error)
            }
        }
        let cursor = try session.lake.cursor()
        position = cursor
        advancedAt = uptime
        return cursor
    }

    private func spooledObjects() throws(QueueError) -> [String] {
        do throws(SystemError) {
            return try spool.objectNames()
        } catch {
            throw QueueError(spool: error)
        }
    }

    /// Forgets all that the books do not hold.
    private func abandon() {
        position = nil
        batch = nil
        progress = Progress()
    }

    private func hasRoom() throws(QueueError) -> Bool {
        let free: Int
        do throws(SystemError) {
            free = try room.freeByteCount(spool.path)
        } catch {
            throw QueueError(spool: error)
        }
        guard free < room.floor, try session.lake.unshippedCount() > 0 else {
            health.sealing(isHeldUpBy: nil)
            return true
        }
        health.sealing(
            isHeldUpBy: "sealing is paused, the disk of the spool has only \(free) bytes free and "
                + "earlier batches have not left it")
        return false
    }
}

// MARK: - Webhooks to lines

extension Sealer {
    private func take(_ webhooks: [StoredWebhook], uptime: Duration) throws(QueueError) {
        var slice = LogSlice(webhooks, splitter: splitter, window: settings.dedupWindow)
        try slice.lookUpHolders(in: session.lake)
        for index in webhooks.indices {
            let hasSealed = try take(
                webhooks[index], found: slice.found[index], uptime: uptime)
            if hasSealed { try slice.lookUpHolders(in: session.lake) }
        }
    }

    /// Takes one webhook in: its new statuses become lines of the open batch.
    ///
    /// - Returns: whether a batch was sealed, before or after it.
    private func take(
        _ webhook: StoredWebhook,
        found: [LogSlice.Found],
        uptime: Duration
    ) throws(QueueError) -> Bool {
        guard !found.isEmpty else {
            pass(webhook, foundCount: 0, newCount: 0, surrogateCount: 0)
            return false
        }
        let (keys, surrogateCount) = makeLines(of: webhook, found: found)
        var hasSealed = false
        if !keys.isEmpty {
            hasSealed = try closeBefore(webhook, statusCount: keys.count)
            try append(keys, of: webhook, uptime: uptime)
        }
        pass(
            webhook, foundCount: found.count, newCount: keys.count, surrogateCount: surrogateCount)
        if let batch, settings.rules.isFull(batch.measure) {
            try close(through: webhook.id)
            hasSealed = true
        }
        return hasSealed
    }

    /// Fills `lines` with the new statuses of a webhook.
    private func makeLines(
        of webhook: StoredWebhook,
        found: [LogSlice.Found]
    ) -> (keys: [OpenBatch.NewKey], surrogateCount: Int) {
        lines.removeAll(keepingCapacity: true)
        bodyEvents.removeAll(keepingCapacity: true)
        var keys: [OpenBatch.NewKey] = []
        var surrogateCount = 0
        for found in found {
            let key = found.status.key
            if let holder = found.holder, holder < webhook.id { continue }
            guard batch?.holds(key) != true, bodyEvents.insert(key).inserted else { continue }
            keys.append(OpenBatch.NewKey(event: key, seen: found.seen))
            let hasReplaced = StatusLine.append(
                found.status, of: webhook.body, receivedAt: webhook.receivedAt, to: &lines)
            if hasReplaced { surrogateCount += 1 }
        }
        return (keys, surrogateCount)
    }

    private func append(
        _ keys: [OpenBatch.NewKey],
        of webhook: StoredWebhook,
        uptime: Duration
    ) throws(QueueError) {
        do throws(SystemError) {
            let batch =
                if let batch { batch } else { try open(first: webhook, uptime: uptime) }
            try batch.append(lines, of: webhook.id, keys: keys)
        } catch {
            throw QueueError(spool: error)
        }
        guard log.isEnabled(.debug) else { return }
        for key in keys {
            log.debug(
                "status read for the lake",
                ["webhook": .int(Int(webhook.id.rawValue)), "event": .string(key.event.hex)])
        }
    }

    private func open(
        first webhook: StoredWebhook,
        uptime: Duration
    ) throws(SystemError) -> OpenBatch {
        let opened = OpenBatch(
            first: webhook.id, receivedAt: webhook.receivedAt, openedAt: uptime,
            writer: try SpoolWriter(in: spool, compression: settings.compression))
        batch = opened
        return opened
    }

    /// The webhook is behind us: in the open batch, or without anything for it.
    private func pass(
        _ webhook: StoredWebhook,
        foundCount: Int,
        newCount: Int,
        surrogateCount: Int
    ) {
        position = webhook.id
        progress.webhookCount += 1
        progress.foundCount += foundCount
        progress.doubleCount += foundCount - newCount
        progress.surrogateCount += surrogateCount
    }
}
