import Base
import Glibc
import Queue
import WhatsApp

/// Takes one person out of a queue: log, deliveries, dead letters, batches on their way, and the
/// queue's objects in a lake that is a directory.
///
/// Looks at each body that holds their number, and cuts or removes it. With `isDryRun` it only
/// counts.
struct PersonErasure {
    let session: QueueSession
    let person: String
    let secret: AppSecret
    let isDryRun: Bool
    let now: Timestamp

    /// What was taken out.
    struct Report {
        var webhookCount = 0
        var deliveryCount = 0
        var deadLetterCount = 0
        var statusCount = 0
        var eventCount = 0
        var batchCount = 0
        var objectCount = 0
        var freePageCount = 0
        /// Objects that hold lines about the person and belong to another queue.
        var notReached: [(path: String, lineCount: Int)] = []
    }

    let eraser: PersonEraser
    var report = Report()

    /// What a webhook becomes of which nothing is left: it counts as empty.
    private static let nothing = Array(#"{"object":"whatsapp_business_account","entry":[]}"#.utf8)

    init(session: QueueSession, person: String, secret: AppSecret, isDryRun: Bool, now: Timestamp) {
        self.session = session
        self.person = person
        self.secret = secret
        self.isDryRun = isDryRun
        self.now = now
        eraser = PersonEraser(person: person)
    }

    private var needles: ([UInt8], [UInt8]) { (Array(person.utf8), Array(person.utf8)) }

    mutating func eraseLog() throws(QueueError) {
        var cursor: WebhookID? = WebhookID.none
        while let from = cursor {
            let step = try session.webhooks(holding: needles, after: from)
            for id in step.found { try eraseWebhook(id) }
            cursor = step.next
        }
    }

    private mutating func eraseWebhook(_ id: WebhookID) throws(QueueError) {
        guard let webhook = try session.log.webhook(id) else { return }
        let (rest, statusCount, eventCount): ([UInt8], Int, Int)
        switch eraser.erase(from: webhook.body) {
        case .untouched: return
        case .cut(let body, let statuses, let events):
            (rest, statusCount, eventCount) = (body, statuses, events)
        case .gone(let statuses, let events):
            (rest, statusCount, eventCount) = (Self.nothing, statuses, events)
        }
        report.webhookCount += 1
        // A row that a consumer has read is counted where its events are now.
        if try session.lake.cursor() < id { report.statusCount += statusCount }
        if try session.forward.cursor() < id { report.eventCount += eventCount }
        guard !isDryRun else { return }
        try session.erase.cutWebhook(
            id, to: signed(rest), statusCount: statusCount, eventCount: eventCount)
    }

    mutating func eraseDeliveries() throws(QueueError) {
        var cursor: DeliveryID? = DeliveryID.none
        while let from = cursor {
            let step = try session.deliveries(holding: needles, after: from)
            for id in step.found { try eraseDelivery(id) }
            cursor = step.next
        }
    }

    private mutating func eraseDelivery(_ id: DeliveryID) throws(QueueError) {
        guard let view = try session.delivery(id),
            let stored = try session.signedBodies(
                after: DeliveryID(rawValue: id.rawValue - 1), limit: 1, byteCountMax: 0
            ).first, stored.delivery == id
        else { return }
        switch eraser.erase(from: stored.body) {
        case .untouched:
            return
        case .gone:
            count(view, events: view.envelope.eventCount)
            if !isDryRun { try session.erase.removeDelivery(id, now: now) }
        case .cut(let body, let statuses, let events):
            // Statuses stand in a delivery only where they were forwarded as events.
            let taken = min(statuses + events, view.envelope.eventCount - 1)
            count(view, events: taken)
            guard !isDryRun else { return }
            try session.erase.cutDelivery(
                id, to: signed(body), eventCount: taken,
                leaving: view.envelope.conversations.filter { $0.hasSuffix(":" + person) },
                now: now)
        }
    }

    private mutating func count(_ view: DeliveryView, events: Int) {
        switch view.state {
        case .dead:
            report.deadLetterCount += 1
            report.eventCount += events
        case .waiting:
            report.deliveryCount += 1
            report.eventCount += events
        case .delivered:
            report.deliveryCount += 1
        }
    }

    private func signed(_ body: [UInt8]) -> CutBody {
        let signatures = SignatureVerifier.sign(body: body, secret: secret)
        return CutBody(
            body: body, signature256: signatures.signature256, signature1: signatures.signature1,
            secretFingerprint: secret.fingerprint)
    }

    /// Leaves no copy in free pages, and none in the WAL.
    mutating func eraseTraces(by actor: Queue.Actor) throws(QueueError) {
        guard !isDryRun else { return }
        report.freePageCount = try session.overwriteFreePages()
        try session.erase.audit(
            "\(report.webhookCount) webhooks, \(report.deliveryCount) deliveries, "
                + "\(report.deadLetterCount) dead letters, \(report.batchCount) batches, "
                + "\(report.objectCount) objects",
            by: actor, now: now)
        try session.checkpoint(.truncate)
    }
}
