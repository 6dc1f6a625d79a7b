import Base
import Queue
import WhatsApp

/// The batch that lines are written to: its file, its keys and its counts.
///
/// All of it is made from the log and can be made again, so it is given up wherever something
/// fails. Memory: the keys, some 80 bytes a status, at most ``BatchRules/statusCountMax`` of them;
/// the lines are in the file. Not `Sendable`: the sealer's thread owns it.
final class OpenBatch {
    /// One new status: its key, and where it was met first.
    struct NewKey {
        let event: EventKey
        let seen: SeenKey
    }

    let writer: SpoolWriter
    let firstID: WebhookID
    private(set) var measure: BatchRules.Measure
    private var events: Set<EventKey> = []
    private var seen: [(SeenKey, WebhookID)] = []

    init(
        first webhook: WebhookID,
        receivedAt: Timestamp,
        openedAt: Duration,
        writer: SpoolWriter
    ) {
        self.writer = writer
        firstID = webhook
        measure = BatchRules.Measure(
            hour: BatchRules.hour(of: receivedAt), lineByteCount: 0, statusCount: 0,
            firstReceivedAt: receivedAt, openedAt: openedAt)
    }

    func holds(_ event: EventKey) -> Bool { events.contains(event) }

    /// Adds the lines of one webhook's new statuses.
    func append(
        _ lines: [UInt8],
        of webhook: WebhookID,
        keys: [NewKey]
    ) throws(SystemError) {
        try writer.append(lines)
        for key in keys {
            events.insert(key.event)
            seen.append((key.seen, webhook))
        }
        measure.lineByteCount += lines.count
        measure.statusCount += keys.count
    }

    /// The keys in the order of their table, in which inserts touch each page once.
    func sortedKeys() -> [(SeenKey, WebhookID)] { seen.sorted { $0.0 < $1.0 } }
}
