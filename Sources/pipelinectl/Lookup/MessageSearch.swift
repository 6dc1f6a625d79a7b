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
    private(set) var coverage: LookupCoverage

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

    init(session: QueueSession, needles: MessageNeedles, coverage: LookupCoverage) {
        self.session = session
        self.needles = needles
        self.coverage = coverage
    }

    var isEmpty: Bool { webhooks.isEmpty && deliveries.isEmpty && statuses.isEmpty }

    // MARK: The queue

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

    // MARK: Spool and lake

    /// Searches what is sealed and not shipped.
    mutating func searchSpool(_ store: any LakeStore, _ files: [StoredObject]) {
        take(LakeSearch(store: store, needles: needles).search(files))
        coverage.spoolCount += files.count
    }

    /// Searches the lake, the newest day first, until `objectsMax` were read.
    ///
    /// A lake that fails ends the search of it, and is said in ``coverage``.
    mutating func searchLake(_ store: any LakeStore, objectsMax: Int, progress: Progress) {
        do throws(LakeReadError) {
            for day in try store.days().reversed() where day >= coverage.since {
                let objects = Array(try store.objects(of: day).reversed())
                coverage.lakeDayCount += 1
                let room = max(0, objectsMax - coverage.lakeObjectCount)
                coverage.leftOutCount += max(0, objects.count - room)
                search(objects.prefix(room), in: store, progress: progress)
            }
        } catch {
            coverage.trouble = error.message
        }
    }

    private mutating func search(
        _ objects: ArraySlice<StoredObject>,
        in store: any LakeStore,
        progress: Progress
    ) {
        let search = LakeSearch(store: store, needles: needles)
        var rest = objects
        while !rest.isEmpty {
            // Between the pieces there is time to show how far it is.
            let piece = Array(rest.prefix(Self.pieceCount))
            rest = rest.dropFirst(piece.count)
            take(search.search(piece))
            coverage.lakeObjectCount += piece.count
            coverage.lakeByteCount += piece.reduce(0) { $0 + $1.byteCount }
            progress.show(coverage.lakeObjectCount)
        }
    }

    /// Says that something could not be looked at.
    mutating func note(_ trouble: String) {
        coverage.trouble = [coverage.trouble, trouble].compactMap { $0 }.joined(separator: "; ")
    }

    private static let pieceCount = 64

    private mutating func take(_ outcomes: [LakeSearch.Outcome]) {
        for outcome in outcomes {
            for status in outcome.statuses { add(status) }
            if let trouble = outcome.trouble { coverage.unreadable.append(trouble) }
        }
    }
}
