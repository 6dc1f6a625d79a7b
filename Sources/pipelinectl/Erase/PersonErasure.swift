import Base
import Glibc
import Queue
import WhatsApp

/// Takes one person out of a queue: log, deliveries, dead letters, and batches on their way.
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
        var freePageCount = 0
    }

    private let eraser: PersonEraser
    private(set) var report = Report()

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

    // MARK: The spool

    mutating func eraseSpool() throws(Failure) {
        var last: BatchID?
        while true {
            let batches = try Failure.queue { () throws(QueueError) in
                try session.lake.unshippedBatches(after: last)
            }
            guard let end = batches.last else { return }
            for batch in batches { try eraseBatch(batch) }
            last = end.id
        }
    }

    private mutating func eraseBatch(_ batch: SealedBatch) throws(Failure) {
        let path = session.location.spoolPath(of: batch)
        var kept: [UInt8] = []
        var (lineCount, erasedCount) = (0, 0)
        // Every line of the lake begins so.
        let brace = Array("{".utf8)
        let isWhole = ObjectSearch(needles: (brace, brace)).lines(in: path) {
            lineCount += 1
            if eraser.isAbout(line: $0) { erasedCount += 1 } else { kept += $0 + [10] }
        }
        guard isWhole, lineCount == batch.lineCount else {
            throw .failed("\(path) cannot be read whole: see `pipelinectl verify`")
        }
        guard erasedCount > 0 else { return }
        report.batchCount += 1
        report.statusCount += erasedCount
        guard !isDryRun else { return }
        let rest = kept.isEmpty ? nil : try writeSpool(batch, kept, lineCount - erasedCount)
        try Failure.queue { () throws(QueueError) in
            try session.erase.replaceBatch(batch, by: rest)
        }
        try Failure.system { () throws(SystemError) in
            try DurableFile.remove(path)
            try DurableFile.syncDirectory(session.location.spoolDirectory)
        }
    }

    /// The rest of a batch under the name of its new content, not compressed.
    private func writeSpool(
        _ batch: SealedBatch,
        _ bytes: [UInt8],
        _ lineCount: Int
    ) throws(Failure) -> SealedBatch {
        let digest = ContentDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        let sha256 = digest.finish()
        let stem = batch.objectName.split(separator: "-", omittingEmptySubsequences: false)
        let name = stem.dropLast().joined(separator: "-") + "-\(sha256.prefix(12)).ndjson"
        let rest = SealedBatch(
            objectName: name, sha256: sha256, byteCount: bytes.count, lineCount: lineCount,
            firstID: batch.firstID, lastID: batch.lastID, sealedAt: batch.sealedAt)
        try Failure.system { () throws(SystemError) in
            try DurableFile.write(bytes, to: session.location.spoolPath(of: rest))
        }
        return rest
    }

    /// Leaves no copy in free pages, and none in the WAL.
    mutating func eraseTraces(by actor: Queue.Actor) throws(QueueError) {
        guard !isDryRun else { return }
        report.freePageCount = try session.overwriteFreePages()
        try session.erase.audit(
            "\(report.webhookCount) webhooks, \(report.deliveryCount) deliveries, "
                + "\(report.deadLetterCount) dead letters, \(report.batchCount) batches",
            by: actor, now: now)
        try session.checkpoint(.truncate)
    }
}
