/// The `X-Delivery-Id` by which a receiver recognises a second attempt.
public enum DeliveryKey {
    /// Makes the id of one part: 32 lower-case hexadecimal digits.
    ///
    /// Where the part holds events that are told from their doubles the id is made from their keys,
    /// so that a resend acknowledged by another host carries the same id. Otherwise the same
    /// bytes may mean something new, and the id is made from where the webhook is stored.
    ///
    /// - Parameters:
    ///   - events: what is in the part, in body order.
    ///   - queueID: the queue that stored the webhook.
    ///   - webhookID: the webhook's row in its log.
    ///   - part: index of the part in its webhook, from 0.
    /// - Returns: the same text for the same arguments, on every host.
    public static func make(
        events: [Event], queueID: String, webhookID: Int64, part: Int
    ) -> String {
        let hasher = SHA256Hasher()
        let keys = events.compactMap(\.key)
        if keys.isEmpty {
            hasher.updateFramed("place")
            Array(queueID.utf8).withUnsafeBytes { hasher.updateFramed($0) }
            hasher.update(UInt64(bitPattern: webhookID))
            hasher.update(UInt64(bitPattern: Int64(part)))
        } else {
            hasher.updateFramed("events")
            for key in keys {
                hasher.update(key.high)
                hasher.update(key.low)
            }
        }
        let words = hasher.finish().words
        return EventKey(high: words.0, low: words.1).hex
    }
}
