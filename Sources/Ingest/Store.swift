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
        let session = try QueueSession.open(configuration.location, gate: gate, as: .ingest)
        self.session = session
        walBytesMax = configuration.walBytesMax
        walRoom = WALRoom(
            configuration.location, byteCountMax: Self.walFactor * configuration.walBytesMax)
        self.log = log
        admission = Admission(
            location: configuration.location,
            diskFreeBytesMin: configuration.diskFreeBytesMin,
            queueBytesMax: configuration.queueBytesMax,
            freeBytesInside: { Self.freeBytes(session) })
        // Nothing that is acknowledged from now on may build on frames of unknown state.
        try session.checkpoint(.restart)
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
            append: { [session] webhooks throws(QueueError) in
                try session.log.appendHoldingGate(webhooks)
            },
            relieve: { [self] () throws(QueueError) in try relieve() },
            closed: { [admission] in
                let refusal = admission.refusal()
                readiness.set(refusal)
                return refusal
            })
    }

    private func relieve() throws(QueueError) {
        let usedByteCount = session.walPages * QueueSession.pageByteCount
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
