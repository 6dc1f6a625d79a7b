import Base

/// What the forward consumer makes of a stretch of the log, stored in one transaction.
public struct ForwardSlice: Sendable {
    /// The last webhook of the stretch: where the cursor moves to.
    public var cursor: WebhookID
    /// In the order in which their events first arrived.
    public var deliveries: [NewDelivery] = []
    /// Signed bytes that cannot be read; each becomes a dead letter with its bytes.
    public var unreadable: [UnreadableWebhook] = []
    /// Keys of the events in `deliveries`.
    public var seen: [(SeenKey, WebhookID)] = []
    /// Events for PHP in the stretch, doubles included; an unreadable webhook counts as one.
    public var foundCount = 0
    /// Those that were met before.
    public var doubleCount = 0
    /// Those that a route of the operator dropped.
    public var droppedCount = 0
    /// Webhooks without any event.
    public var emptyCount = 0

    /// An empty stretch that ends with `cursor`.
    public init(cursor: WebhookID) { self.cursor = cursor }
}

/// A webhook whose body is signed but is not JSON that this program reads.
public struct UnreadableWebhook: Sendable {
    /// The row of the log, bytes included.
    public let webhook: StoredWebhook
    /// `X-Delivery-Id`, should it be replayed.
    public let key: String
    /// What is wrong with it, in a few words and without its text.
    public let detail: String

    /// Keeps a webhook whose body could not be read.
    public init(webhook: StoredWebhook, key: String, detail: String) {
        self.webhook = webhook
        self.key = key
        self.detail = detail
    }
}

/// What the forward consumer stores: deliveries, whose turn it is, and what became of each attempt.
///
/// A delivery is *due* only when it stands first in all of its conversations, so that claiming
/// reads one short index, and a conversation that waits for a retry costs the others nothing. There
/// is one forward pool per queue; what is under way is known to its holder alone, so a crash leaves
/// nothing to release.
public struct ForwardBooks {
    let connection: Connection

    var counters: Counters { Counters(connection: connection) }
    var places: Places { Places(connection: connection) }
    private var cursorRow: Cursor { Cursor(connection: connection, consumer: .forward) }
    private var keys: SeenKeys { SeenKeys(connection: connection, consumer: .forward) }

    /// The last webhook whose deliveries are stored.
    public func cursor() throws(QueueError) -> WebhookID { try cursorRow.position() }

    /// For each key, the webhook that first held it, or `nil` where it is new.
    public func holders(of keys: [SeenKey]) throws(QueueError) -> [WebhookID?] {
        try connection.read { () throws(QueueError) in
            try self.keys.holders(of: keys)
        }
    }

    /// Stores what was made of a stretch of the log, and moves the cursor past it.
    ///
    /// - Throws: ``QueueError/cursorMoved(consumer:)``.
    public func accept(_ slice: ForwardSlice, now: Timestamp) throws(QueueError) {
        let carried = slice.deliveries.reduce(0) { $0 + $1.envelope.eventCount }
        precondition(
            slice.foundCount == slice.doubleCount + slice.droppedCount + carried
                + slice.unreadable.count,
            "the books must balance")
        let dead = slice.deliveries.filter(\.isDead)
        let deadEventCount = dead.reduce(0) { $0 + $1.envelope.eventCount }
        try connection.write { () throws(QueueError) in
            try places.giveTurns { (turns) throws(QueueError) in
                for delivery in slice.deliveries where !delivery.isDead {
                    try insert(delivery, position: turns.next(), now: now)
                }
            }
            for delivery in dead { try bury(delivery, now: now) }
            for letter in slice.unreadable { try bury(letter, now: now) }
            try keys.insert(slice.seen)
            try counters.add(slice.foundCount, to: .forwardFound)
            try counters.add(slice.doubleCount, to: .forwardDoubles)
            try counters.add(slice.droppedCount, to: .dropped)
            try counters.add(slice.emptyCount, to: .emptyWebhooks)
            try counters.add(carried - deadEventCount, to: .waiting)
            try counters.add(slice.deliveries.count - dead.count, to: .waitingDeliveries)
            try counters.add(slice.unreadable.count + deadEventCount, to: .dead)
            try counters.add(slice.unreadable.count + dead.count, to: .deadLetters)
            try cursorRow.advance(to: slice.cursor)
            CrashPoint.reached(.insideAccept)
        }
        CrashPoint.reached(.afterAccept)
    }

    private func insert(
        _ delivery: NewDelivery,
        position: Int64,
        now: Timestamp
    ) throws(QueueError) {
        let blockedCount = try places.blockedCount(of: delivery.envelope.conversations)
        let id = try insertRow(delivery.envelope, body: delivery.body) { insert in
            insert.bind(23, delivery.destination)
            insert.bind(17, "waiting")
            insert.bind(18, position)
            insert.bind(19, blockedCount)
            insert.bind(20, blockedCount == 0 ? now.rawValue : nil as Int64?)
            insert.bindNull(21)
            insert.bindNull(22)
        }
        try places.take(delivery.envelope.conversations, position: position, delivery: id)
    }

    /// Stores what a route of the operator keeps from PHP.
    private func bury(_ delivery: NewDelivery, now: Timestamp) throws(QueueError) {
        _ = try insertDead(delivery.envelope, body: delivery.body, reason: .route, now: now)
    }

    private func bury(_ letter: UnreadableWebhook, now: Timestamp) throws(QueueError) {
        let webhook = letter.webhook
        let envelope = DeliveryEnvelope(
            key: letter.key, webhook: webhook.id, part: 0, receivedAt: webhook.receivedAt,
            conversations: ["unparseable:\(webhook.id)"], field: "", phoneNumberID: nil,
            eventCount: 1, isCut: false, signature256: webhook.signature256,
            signature1: webhook.signature1, secretFingerprint: webhook.secretFingerprint,
            userAgent: webhook.userAgent, contentType: webhook.contentType,
            remoteAddress: webhook.remoteAddress)
        let reason = DeadReason.unparseable(detail: letter.detail)
        let id = try insertDead(envelope, body: webhook.body, reason: reason, now: now)
        let note = try connection.statement(
            "insert into attempt values (?1, 0, ?2, 0, ?3, null, null, 0)")
        note.bind(1, id.rawValue)
        note.bind(2, now.rawValue)
        note.bind(3, "unparseable: " + letter.detail)
        try note.run()
    }

    private func insertDead(
        _ envelope: DeliveryEnvelope, body: [UInt8], reason: DeadReason, now: Timestamp
    ) throws(QueueError) -> DeliveryID {
        try insertRow(envelope, body: body) { insert in
            insert.bind(17, "dead")
            insert.bindNull(18)
            insert.bind(19, 0)
            insert.bindNull(20)
            insert.bind(21, now.rawValue)
            insert.bind(22, reason.name)
            insert.bind(23, "")
        }
    }

    private func insertRow(
        _ envelope: DeliveryEnvelope,
        body: [UInt8],
        bindState: (Statement) -> Void
    ) throws(QueueError) -> DeliveryID {
        let insert = try connection.statement(.insertDelivery)
        DeliveryRow.bind(envelope, byteCount: body.count, to: insert)
        bindState(insert)
        try insert.run()
        let id = DeliveryID(rawValue: connection.lastInsertedRowID)
        try DeliveryRow.insertBody(body, of: id, connection)
        return id
    }
}

extension SQL {
    static let insertDelivery: SQL = """
        insert into delivery (key, webhook_id, part, received_at, conversations, field,
          phone_number_id, event_count, is_cut, signature_256, signature_1, secret_fingerprint,
          user_agent, content_type, remote_address, byte_count, state, position, blocked_count,
          due_at, settled_at, reason, destination)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
          ?19, ?20, ?21, ?22, ?23)
        """
}
