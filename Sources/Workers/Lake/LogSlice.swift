import Base
import Queue
import WhatsApp

/// A few webhooks of the log with the statuses in them, and who first held the key of each.
struct LogSlice {
    /// Webhooks read at once; with the bytes below, the memory of a look.
    static let webhookCountMax = 512
    static let byteCountMax = 4_194_304

    /// One status of one webhook.
    struct Found {
        let status: Status
        let seen: SeenKey
        /// The webhook that first held the key, as the books knew at the last look.
        var holder: WebhookID?
    }

    let webhooks: [StoredWebhook]
    /// For each webhook its statuses, in body order.
    private(set) var found: [[Found]]

    /// Splits the webhooks; one that is not JSON has no statuses here, and is dealt with by the
    /// forward consumer alone.
    init(_ webhooks: [StoredWebhook], splitter: WebhookSplitter, window: Duration) {
        self.webhooks = webhooks
        found = webhooks.map { webhook in
            switch splitter.split(webhook.body) {
            case .unparseable:
                []
            case .events(let split):
                split.statuses.map { status in
                    Found(
                        status: status,
                        seen: SeenKey(
                            high: status.key.high, low: status.key.low,
                            eventSeconds: status.eventSeconds,
                            receivedAt: webhook.receivedAt, window: window))
                }
            }
        }
    }

    /// Asks the books who first held each key, in the order of their table.
    ///
    /// To be asked again after each seal, which may have stored keys that are met again behind it.
    mutating func lookUpHolders(in books: LakeBooks) throws(QueueError) {
        var places: [(webhook: Int, status: Int)] = []
        for (webhook, statuses) in found.enumerated() {
            for status in statuses.indices { places.append((webhook, status)) }
        }
        guard !places.isEmpty else { return }
        places.sort { found[$0.webhook][$0.status].seen < found[$1.webhook][$1.status].seen }
        let holders = try books.holders(of: places.map { found[$0.webhook][$0.status].seen })
        for (place, holder) in zip(places, holders) {
            found[place.webhook][place.status].holder = holder
        }
    }
}
