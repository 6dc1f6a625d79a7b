import Base
import Queue
import WhatsApp

/// Gathers all that is known of one message: from the log, the deliveries, the spool and the lake.
struct MessageSearch {
    let session: QueueSession
    let needles: MessageNeedles
    private(set) var webhooks: [FoundWebhook] = []
    private(set) var deliveries: [FoundDelivery] = []
    /// Each once, whether it was found in the log, the spool, the lake, or all of them.
    private(set) var statuses: [FoundStatus] = []
    /// Files that could not be read.
    private(set) var unreadable: [String] = []

    private let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])

    /// A webhook of the log that names the message.
    struct FoundWebhook {
        let id: WebhookID
        let receivedAt: Timestamp
        /// Whether both consumers have read it.
        let readByLake: Bool
        let readByForward: Bool
    }

    /// A delivery whose body names the message.
    struct FoundDelivery {
        let view: DeliveryView
        let attempts: [Attempt]
    }

    init(session: QueueSession, needles: MessageNeedles) {
        self.session = session
        self.needles = needles
    }

    var isEmpty: Bool { webhooks.isEmpty && deliveries.isEmpty && statuses.isEmpty }

    mutating func searchLog(progress: Progress) throws(QueueError) {
        let lake = try session.lake.cursor()
        let forward = try session.forward.cursor()
        var cursor: WebhookID? = WebhookID.none
        while let position = cursor {
            let step = try session.webhooks(holding: needles.bytes, after: position)
            for id in step.found {
                // It may have been purged since.
                guard let webhook = try session.log.webhook(id) else { continue }
                webhooks.append(
                    FoundWebhook(
                        id: id, receivedAt: webhook.receivedAt, readByLake: id <= lake,
                        readByForward: id <= forward))
                try addStatuses(of: webhook)
            }
            cursor = step.next
            progress.show(Int(cursor?.rawValue ?? 0))
        }
    }

    mutating func searchDeliveries(progress: Progress) throws(QueueError) {
        var cursor: DeliveryID? = DeliveryID.none
        while let position = cursor {
            let step = try session.deliveries(holding: needles.bytes, after: position)
            for id in step.found {
                guard let view = try session.delivery(id) else { continue }
                let attempts = try session.deadLetters.attempts(of: id)
                deliveries.append(FoundDelivery(view: view, attempts: attempts))
            }
            cursor = step.next
            progress.show(Int(cursor?.rawValue ?? 0))
        }
    }

    /// Searches files, each a second of work at most for the sizes that batches have.
    mutating func search(_ paths: [String], progress: Progress) {
        let search = ObjectSearch(needles: needles.bytes)
        for (count, path) in paths.enumerated() {
            var lines: [[UInt8]] = []
            do throws(LakeReadError) {
                let isWhole = try search.lines(
                    { (body) throws(LakeReadError) in
                        try DirectoryStore.read(file: path, body)
                    }, { lines.append($0) })
                if !isWhole { unreadable.append(path) }
            } catch {
                unreadable.append(path)
            }
            for line in lines {
                add(FoundStatus(line: line, of: needles.text, webhook: nil, object: path))
            }
            progress.show(count + 1)
        }
    }

    private mutating func addStatuses(of webhook: StoredWebhook) throws(QueueError) {
        guard case .events(let content) = splitter.split(webhook.body) else { return }
        let object =
            webhook.id <= (try session.lake.cursor())
            ? try session.lake.object(holding: webhook.id)?.name : nil
        for status in content.statuses {
            var line: [UInt8] = []
            _ = StatusLine.append(
                status, of: webhook.body, receivedAt: webhook.receivedAt, to: &line)
            if line.last == UInt8(ascii: "\n") { line.removeLast() }
            add(
                FoundStatus(
                    line: line, of: needles.text, webhook: Int(webhook.id.rawValue),
                    object: object))
        }
    }

    private mutating func add(_ status: FoundStatus?) {
        guard let status, !statuses.contains(where: { $0.key == status.key }) else { return }
        statuses.append(status)
    }
}
