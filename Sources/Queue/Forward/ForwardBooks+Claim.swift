import Base

extension ForwardBooks {
    /// Deliveries that stand first in their conversations and are due, the longest due first.
    ///
    /// Reads one stretch of one index, and the rows that it returns; costs the same whether ten or
    /// a million deliveries wait. Nothing is written: the caller remembers what it has under way
    /// and names it in `inFlight`.
    ///
    /// - Parameters:
    ///   - limit: 1 or more.
    ///   - byteCountMax: bodies are added until they exceed this many bytes; the first is always
    ///     returned, whatever its size.
    ///   - now: wall time; passed in so that tests own it.
    ///   - inFlight: deliveries that were claimed and are not settled; left out.
    ///   - destination: empty: the one that takes everything else.
    /// - Returns: none where nothing is due.
    /// - Throws: what every method of a session may throw.
    public func claim(
        limit: Int,
        byteCountMax: Int = .max,
        now: Timestamp,
        excluding inFlight: Set<DeliveryID>,
        at destination: String = ""
    ) throws(QueueError) -> [Delivery] {
        precondition(limit > 0, "a claim asks for at least one delivery")
        let ids = try dueIDs(limit: limit, now: now, excluding: inFlight, at: destination)
        let select = try connection.statement(.claimed)
        defer { select.reset() }

        var deliveries: [Delivery] = []
        var byteCount = 0
        for id in ids {
            select.bind(1, id.rawValue)
            guard try select.step() else { continue }
            let delivery = DeliveryRow.delivery(at: select)
            select.rewind()
            byteCount += delivery.body.count
            guard deliveries.isEmpty || byteCount <= byteCountMax else { break }
            deliveries.append(delivery)
        }
        return deliveries
    }

    private func dueIDs(
        limit: Int,
        now: Timestamp,
        excluding inFlight: Set<DeliveryID>,
        at destination: String
    ) throws(QueueError) -> [DeliveryID] {
        let select = try connection.statement(.dueIDs)
        defer { select.reset() }

        select.bind(1, destination)
        select.bind(2, now.rawValue)
        select.bind(3, limit + inFlight.count)
        var ids: [DeliveryID] = []
        while ids.count < limit, try select.step() {
            let id = DeliveryID(rawValue: select.int64(0))
            if !inFlight.contains(id) { ids.append(id) }
        }
        return ids
    }

    /// When the next delivery that is not under way falls due; `nil` where none waits.
    public func nextDue(
        excluding inFlight: Set<DeliveryID>,
        at destination: String = ""
    ) throws(QueueError) -> Timestamp? {
        let select = try connection.statement(.nextDue)
        defer { select.reset() }

        select.bind(1, inFlight.count + 1)
        select.bind(2, destination)
        while try select.step() {
            if !inFlight.contains(DeliveryID(rawValue: select.int64(0))) {
                return Timestamp(rawValue: select.int64(1))
            }
        }
        return nil
    }

    /// The deliveries that follow a head in its only conversation, in order, for a POST of several.
    ///
    /// - Parameters:
    ///   - head: a claimed delivery with one conversation.
    ///   - limit: 0 or more.
    /// - Returns: those behind it that never failed, go to the same destination, and have no other
    ///   conversation; the first that does not ends them.
    /// - Throws: what every method of a session may throw.
    public func followers(
        of head: Delivery,
        limit: Int
    ) throws(QueueError) -> [Delivery] {
        guard limit > 0, let conversation = head.envelope.conversations.first,
            head.envelope.conversations.count == 1
        else { return [] }
        let select = try connection.statement(.followers)
        defer { select.reset() }

        select.bind(1, conversation)
        select.bind(2, head.id.rawValue)
        select.bind(3, limit)
        var deliveries: [Delivery] = []
        while try select.step() {
            let delivery = DeliveryRow.delivery(at: select)
            guard delivery.envelope.conversations.count == 1, delivery.ageStarted == nil,
                select.int(22) == 1
            else { break }
            deliveries.append(delivery)
        }
        return deliveries
    }
}

/// Reads a delivery from a row whose columns are ``columns``.
enum DeliveryRow {
    static func delivery(at row: Statement) -> Delivery {
        Delivery(
            id: DeliveryID(rawValue: row.int64(0)),
            envelope: envelope(at: row),
            body: row.blob(21),
            attemptCount: row.int(16),
            refusalCount: row.int(17),
            attemptTotal: row.int(18),
            replayCount: row.int(19),
            ageStarted: row.optionalInt64(20).map { .milliseconds($0) }
        )
    }

    static func envelope(at row: Statement) -> DeliveryEnvelope {
        DeliveryEnvelope(
            key: row.text(1),
            webhook: WebhookID(rawValue: row.int64(2)),
            part: row.int(3),
            receivedAt: Timestamp(rawValue: row.int64(4)),
            conversations: row.text(5).split(separator: "\n").map(String.init),
            field: row.text(6),
            phoneNumberID: row.optionalText(7),
            eventCount: row.int(8),
            isCut: row.int(9) == 1,
            signature256: row.text(10),
            signature1: row.optionalText(11),
            secretFingerprint: row.text(12),
            userAgent: row.optionalText(13),
            contentType: row.optionalText(14),
            remoteAddress: row.text(15)
        )
    }
}

extension SQL {
    /// The index alone answers it.
    static let dueIDs: SQL = """
        select id from delivery
        where destination = ?1 and due_at <= ?2 order by due_at limit ?3
        """

    static let nextDue: SQL = """
        select id, due_at from delivery
        where destination = ?2 and due_at is not null order by due_at limit ?1
        """

    static let claimed: SQL = """
        select id, key, webhook_id, part, received_at, conversations, field, phone_number_id,
          event_count, is_cut, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, attempt_count, refusal_count, attempt_total,
          replay_count, age_started, body
        from delivery join delivery_body on delivery_id = id
        where id = ?1
        """

    static let followers: SQL = """
        select d.id, d.key, d.webhook_id, d.part, d.received_at, d.conversations, d.field,
          d.phone_number_id, d.event_count, d.is_cut, d.signature_256, d.signature_1,
          d.secret_fingerprint, d.user_agent, d.content_type, d.remote_address, d.attempt_count,
          d.refusal_count, d.attempt_total, d.replay_count, d.age_started, b.body,
          d.destination = (select destination from delivery where id = ?2)
        from place p
          join delivery d on d.id = p.delivery_id
          join delivery_body b on b.delivery_id = d.id
        where p.conversation = ?1
          and p.position > (select position from delivery where id = ?2)
        order by p.position limit ?3
        """
}
