import Base
import Queue
import WhatsApp

/// Makes deliveries of a stretch of the log: splits, drops doubles, names, signs.
///
/// No I/O.
struct SliceMaker {
    /// For each key, the webhook that first held it.
    typealias Holders = ([SeenKey]) throws(QueueError) -> [WebhookID?]

    let queueID: String
    let splitter: WebhookSplitter
    /// The first signs where the one that verified a webhook is gone; never empty.
    let secrets: [AppSecret]
    /// How long keys are remembered, `DEDUP_WINDOW`.
    let dedupWindow: Duration
    /// Where deliveries go; nil: all to the default.
    var routes: RouteTable?

    /// Makes the slice of a stretch, which is not empty.
    ///
    /// - Parameters:
    ///   - webhooks: in the order of the log.
    ///   - holders: reads the keys of the forward consumer; called at most once.
    /// - Returns: what to store, the cursor at the last webhook.
    /// - Throws: what `holders` throws.
    func make(_ webhooks: [StoredWebhook], holders: Holders) throws(QueueError) -> ForwardSlice {
        guard let last = webhooks.last else { preconditionFailure("a stretch has a webhook") }
        var slice = ForwardSlice(cursor: last.id)
        let splits = webhooks.map { splitter.split($0.body) }
        var known = try firstHolders(of: zip(webhooks, splits).map { ($0, $1) }, holders: holders)
        for (webhook, split) in zip(webhooks, splits) {
            switch split {
            case .unparseable(let reason):
                bury(webhook, reason: reason, in: &slice)
            case .events(let content):
                add(webhook, content: content, known: &known, to: &slice)
            }
        }
        return slice
    }

    private func firstHolders(
        of stretch: [(StoredWebhook, SplitResult)], holders: Holders
    ) throws(QueueError) -> [SeenKey: WebhookID] {
        var keys: [SeenKey] = []
        for (webhook, split) in stretch {
            guard case .events(let content) = split else { continue }
            keys += eventKeys(of: content, in: webhook).map(\.seen)
        }
        guard !keys.isEmpty else { return [:] }
        var known: [SeenKey: WebhookID] = [:]
        for (key, holder) in zip(keys, try holders(keys)) { known[key] = holder }
        return known
    }

    private func bury(
        _ webhook: StoredWebhook, reason: UnparseableReason, in slice: inout ForwardSlice
    ) {
        let key = DeliveryKey.make(
            events: [], queueID: queueID, webhookID: webhook.id.rawValue, part: 0)
        slice.unreadable.append(
            UnreadableWebhook(webhook: webhook, key: key, detail: reason.description))
        slice.foundCount += 1
    }

    private func add(
        _ webhook: StoredWebhook, content: SplitWebhook, known: inout [SeenKey: WebhookID],
        to slice: inout ForwardSlice
    ) {
        guard !content.isEmpty else {
            slice.emptyCount += 1
            return
        }
        let content = withoutDoubles(webhook, content: content, known: known)
        slice.foundCount += content.eventCount
        slice.doubleCount += content.droppedCount
        for (seen, _) in eventKeys(of: content, in: webhook) {
            known[seen] = webhook.id
            slice.seen.append((seen, webhook.id))
        }
        for (index, part) in content.parts.enumerated() {
            route(delivery(of: part, index: index, in: webhook), into: &slice)
        }
    }

    private func route(_ delivery: NewDelivery, into slice: inout ForwardSlice) {
        let envelope = delivery.envelope
        let target = routes?.target(
            field: envelope.field, phoneNumberID: envelope.phoneNumberID)
        var delivery = delivery
        switch target {
        case .drop:
            slice.droppedCount += envelope.eventCount
            return
        case .dead:
            delivery.isDead = true
        case .destination(let name):
            delivery.destination = name
        case .byDefault, nil:
            break
        }
        slice.deliveries.append(delivery)
    }

    /// A key held by an earlier webhook is a double; one held by this webhook or a later one was
    /// left by a run that crashed before its cursor moved.
    private func withoutDoubles(
        _ webhook: StoredWebhook, content: SplitWebhook, known: [SeenKey: WebhookID]
    ) -> SplitWebhook {
        let keys = eventKeys(of: content, in: webhook)
        let doubles = keys.filter { seen, _ in known[seen].map { $0 < webhook.id } ?? false }
        let isRepeated = Set(keys.map(\.event)).count < keys.count
        guard isRepeated || !doubles.isEmpty else { return content }
        let again = splitter.split(webhook.body, dropping: Set(doubles.map(\.event)))
        guard case .events(let rest) = again else {
            preconditionFailure("a body that was read once can be read again")
        }
        return rest
    }

    private func eventKeys(
        of content: SplitWebhook, in webhook: StoredWebhook
    ) -> [(seen: SeenKey, event: EventKey)] {
        content.parts.flatMap(\.events).compactMap { event in
            event.key.map { key in
                let seen = SeenKey(
                    high: key.high, low: key.low, eventSeconds: event.eventSeconds,
                    receivedAt: webhook.receivedAt, window: dedupWindow)
                return (seen, key)
            }
        }
    }

    private func delivery(of part: Part, index: Int, in webhook: StoredWebhook) -> NewDelivery {
        var envelope = DeliveryEnvelope(
            key: DeliveryKey.make(
                events: part.events, queueID: queueID, webhookID: webhook.id.rawValue, part: index),
            webhook: webhook.id, part: index, receivedAt: webhook.receivedAt,
            conversations: part.conversations, field: part.field,
            phoneNumberID: part.phoneNumberID, eventCount: part.events.count, isCut: false,
            signature256: webhook.signature256, signature1: webhook.signature1,
            secretFingerprint: webhook.secretFingerprint, userAgent: webhook.userAgent,
            contentType: webhook.contentType, remoteAddress: webhook.remoteAddress)
        switch part.bytes {
        case .whole:
            return NewDelivery(envelope: envelope, body: webhook.body)
        case .cut(let body):
            let secret = signingSecret(fingerprint: webhook.secretFingerprint)
            let signatures = SignatureVerifier.sign(body: body, secret: secret)
            envelope.isCut = true
            envelope.signature256 = signatures.signature256
            envelope.signature1 = signatures.signature1
            envelope.secretFingerprint = secret.fingerprint
            return NewDelivery(envelope: envelope, body: body)
        }
    }

    /// The secret that verified the webhook, or the first where that one is gone.
    func signingSecret(fingerprint: String) -> AppSecret {
        secrets.first { $0.fingerprint == fingerprint } ?? secrets[0]
    }
}
