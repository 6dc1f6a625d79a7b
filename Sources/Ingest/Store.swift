import Base
import Queue

/// The queue as ingest uses it: one session, one gate, and what keeps the WAL in bounds.
final class Store {
    private let session: QueueSession
    private let gate: Gate
    private let admission: Admission
    private let walBytesMax: Int
    /// Nil once it failed: then commits lengthen the WAL themselves.
    private var walRoom: WALRoom?
    private let log: Log

    /// Workers checkpoint at the limit; ingest only where they do not, at twice as much.
    private static let walFactor = 2

    /// Opens the queue, makes or migrates it where needed, and makes sure of what it holds.
    ///
    /// - Throws: ``QueueError``.
    init(
        _ configuration: IngestConfiguration,
        metrics: MetricsRegistry,
        log: Log
    ) throws(QueueError) {
        let held = metrics.histogram(
            "ingest_gate_hold_seconds", help: "How long ingest held the gate at a time.")
        let waited = metrics.histogram(
            "ingest_gate_wait_seconds", help: "How long ingest waited for the gate.")
        gate = try QueueSession.openGate(configuration.location, as: .ingest) { wait, hold in
            waited.observe(wait)
            held.observe(hold)
        }
        try Self.lookAtWAL(configuration.location, gate: gate, log: log)
        let session = try QueueSession.open(configuration.location, gate: gate, as: .ingest)
        self.session = session
        try Self.lookAtEnd(session, log: log)
        walBytesMax = configuration.walBytesMax
        walRoom = WALRoom(
            configuration.location, byteCountMax: Self.walFactor * configuration.walBytesMax)
        self.log = log
        admission = Admission(
            location: configuration.location,
            diskFreeBytesMin: configuration.diskFreeBytesMin,
            queueBytesMax: configuration.queueBytesMax,
            walBytesOrdinary: Self.walFactor * configuration.walBytesMax,
            freeBytesInside: { Self.freeBytes(session) })
        Self.registerSizes(configuration, metrics)
        // Nothing that is acknowledged from now on may build on frames of unknown state.
        try session.checkpoint(.restart)
    }

    /// What `stat` tells of the queue, as ``Admission`` sees it.
    private static func registerSizes(
        _ configuration: IngestConfiguration,
        _ metrics: MetricsRegistry
    ) {
        let location = configuration.location
        metrics.gauge(
            "ingest_database_bytes", help: "Size of the database file.",
            read: { Double(FileFacts.byteCount(location.path)) })
        metrics.gauge(
            "ingest_wal_bytes", help: "Size of SQLite's write-ahead log.",
            read: { Double(FileFacts.byteCount(location.walPath)) })
        metrics.gauge(
            "ingest_disk_free_bytes", help: "Free on the disk that holds the queue.",
            read: { FileFacts.freeByteCount(at: location.directory).map(Double.init) ?? .nan })
        metrics.gauge(
            "ingest_disk_reserve_bytes",
            help: "DISK_FREE_BYTES_MIN: with less than that free, webhooks are answered 503."
        ).set(Double(configuration.diskFreeBytesMin))
    }

    /// Commits behind damage are not read, and would be gone without a word.
    private static func lookAtWAL(
        _ location: QueueLocation, gate: Gate, log: Log
    ) throws(QueueError) {
        guard let damaged = try QueueSession.keepDamagedWAL(location, gate: gate) else { return }
        log.error(
            "commits in the WAL cannot be read, a copy is kept for pipelinectl salvage",
            [
                "commits": .int(damaged.unreadCommitCount), "copy": .string(damaged.copyPath),
                "advice": "harmless after a power cut; else check the disk",
            ])
    }

    /// What comes next overwrites the evidence, so it is said now.
    private static func lookAtEnd(_ session: QueueSession, log: Log) throws(QueueError) {
        let missing = try session.missingWebhookCount()
        guard missing > 0 else { return }
        log.error(
            "acknowledged webhooks are not in the queue: was its WAL removed or cut?",
            [
                "webhooks": .int(missing),
                "advice": "put the -wal back that belongs to it, or restore a backup",
            ])
    }

    private static func freeBytes(_ session: QueueSession) -> Int {
        do throws(QueueError) { return try session.freeByteCount() } catch { return 0 }
    }

    /// Where the loop's webhooks go.
    func sink(_ readiness: Readiness) -> WebhookSink {
        WebhookSink(
            tryLock: { [gate] in gate.tryLock() },
            lock: { [gate] in gate.lock() },
            unlock: { [gate] in gate.unlock() },
            append: { [self] webhooks throws(QueueError) in
                try session.log.appendHoldingGate(webhooks)
                if log.isEnabled(.debug) { try trace(webhooks) }
            },
            needsRelief: { [self] in needsRelief },
            relieve: { [self] () throws(QueueError) in try relieve() },
            closed: { [admission] in
                let refusal = admission.refusal()
                readiness.set(refusal)
                return refusal
            })
    }

    /// A line for each webhook with its id, by which the workers' lines name it.
    ///
    /// The group is stored and the gate still held: the last ids of the log are its own.
    private func trace(_ webhooks: [PendingWebhook]) throws(QueueError) {
        let last = try session.log.lastID().rawValue
        for (index, webhook) in webhooks.enumerated() {
            log.debug(
                "webhook stored",
                [
                    "webhook": .int(Int(last) - webhooks.count + 1 + index),
                    "bytes": .int(webhook.body.count), "group": .int(webhooks.count),
                ])
        }
    }

    private var walUsedByteCount: Int { session.walPages * session.pageByteCount }

    private var needsRelief: Bool {
        let used = walUsedByteCount
        return used > Self.walFactor * walBytesMax || walRoom?.isShort(usedByteCount: used) == true
    }

    private func relieve() throws(QueueError) {
        let usedByteCount = walUsedByteCount
        guard usedByteCount > Self.walFactor * walBytesMax else {
            return makeRoom(usedByteCount: usedByteCount)
        }
        try session.checkpointHoldingGate(.restart)
    }

    private func makeRoom(usedByteCount: Int) {
        do throws(SystemError) {
            try walRoom?.makeHoldingGate(usedByteCount: usedByteCount)
        } catch {
            walRoom = nil
            log.notice("the WAL cannot be lengthened ahead", ["reason": .describing(error)])
        }
    }

    /// The last checkpoint, so that the next start is quick.
    func close() throws(QueueError) {
        try session.checkpoint(.truncate)
    }
}
