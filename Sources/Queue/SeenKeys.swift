import Base

/// The key by which one consumer tells an event from its double.
///
/// Keys are clustered by the event's own time, so that inserts stay at one end of the table and
/// expiry deletes a range.
public struct SeenKey: Hashable, Comparable, Sendable {
    /// The event's own time in seconds since the epoch; 0 where it has none that can be used.
    public let eventSeconds: Int64
    /// The first eight bytes of the event key.
    public let high: UInt64
    /// The last eight bytes of the event key.
    public let low: UInt64
    /// When the webhook was received: by it a key without a time expires.
    public let receivedAt: Timestamp

    /// Longest that an event may lie ahead of its receipt before its time is distrusted.
    static let aheadMax = Duration.seconds(86_400)

    /// Makes the key of one event.
    ///
    /// - Parameters:
    ///   - high: the first eight bytes of the event key.
    ///   - low: the last eight.
    ///   - eventSeconds: as the event says; distrusted, and taken for 0, where it is missing, more
    ///     than a day ahead of `receivedAt`, or older than `window`.
    ///   - receivedAt: when its webhook was received.
    ///   - window: DEDUP_WINDOW.
    public init(
        high: UInt64,
        low: UInt64,
        eventSeconds: Int64?,
        receivedAt: Timestamp,
        window: Duration
    ) {
        self.high = high
        self.low = low
        self.receivedAt = receivedAt
        let latest = (receivedAt + Self.aheadMax).seconds
        let earliest = max((receivedAt - window).seconds, 1)
        if let eventSeconds, earliest <= latest, (earliest...latest).contains(eventSeconds) {
            self.eventSeconds = eventSeconds
        } else {
            self.eventSeconds = 0
        }
    }

    /// The order of the table, in which lookups and inserts touch each page once.
    public static func < (left: SeenKey, right: SeenKey) -> Bool {
        (left.eventSeconds, left.high, left.low) < (right.eventSeconds, right.high, right.low)
    }

    /// The moment of receipt is no part of an event's identity.
    public static func == (left: SeenKey, right: SeenKey) -> Bool {
        left.eventSeconds == right.eventSeconds && left.high == right.high && left.low == right.low
    }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
        hasher.combine(eventSeconds)
    }

    /// Binds the sixteen bytes of the event key, in the order in which they are written as hex.
    func bindDigest(_ index: Int32, to statement: Statement) {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes in
            statement.bind(index, blob: bytes)
        }
    }
}

/// The keys that one consumer has met.
///
/// A key belongs to the first webhook that held it. `W` is a double of what webhook `V < W` held; a
/// key held by `W` itself, or by a later webhook, was left by a run that crashed before its cursor
/// moved, and is no double: the same webhooks are read again, and give the same keys.
struct SeenKeys {
    let connection: Connection
    let consumer: Consumer

    /// - Returns: for each key, the webhook that first held it, or `nil`.
    func holders(of keys: [SeenKey]) throws(QueueError) -> [WebhookID?] {
        let select = try connection.statement(.holderOfKey)
        defer { select.reset() }

        var holders: [WebhookID?] = []
        holders.reserveCapacity(keys.count)
        for key in keys {
            select.bind(1, key.eventSeconds)
            key.bindDigest(2, to: select)
            select.bind(3, consumer.rawValue)
            holders.append(try select.step() ? WebhookID(rawValue: select.int64(0)) : nil)
            select.rewind()
        }
        return holders
    }

    /// Stores keys with the webhooks that hold them, inside the caller's transaction.
    func insert(_ keys: some Sequence<(SeenKey, WebhookID)>) throws(QueueError) {
        let insert = try connection.statement(.insertKey)
        defer { insert.reset() }

        for (key, webhook) in keys {
            insert.bind(1, key.eventSeconds)
            key.bindDigest(2, to: insert)
            insert.bind(3, consumer.rawValue)
            insert.bind(4, webhook.rawValue)
            insert.bind(5, key.eventSeconds == 0 ? key.receivedAt.rawValue : nil as Int64?)
            _ = try insert.step()
            insert.rewind()
        }
    }
}

extension SQL {
    static let holderOfKey: SQL =
        "select webhook_id from seen where event_seconds = ?1 and digest = ?2 and consumer = ?3"

    static let insertKey: SQL = """
        insert into seen (event_seconds, digest, consumer, webhook_id, received_at)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (event_seconds, digest, consumer)
        do update set webhook_id = min(webhook_id, excluded.webhook_id)
        """
}
