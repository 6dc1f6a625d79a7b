import Base

/// What one step of a search through stored bodies came to.
public struct SearchStep<Subject>: Sendable {
    /// Those whose body holds what was looked for, in the order of their ids.
    public let found: [Identifier<Subject>]
    /// Where the next step begins; `nil` at the end.
    public let next: Identifier<Subject>?
}

/// A delivery in any state, without its body.
public struct DeliveryView: Sendable, Equatable {
    /// The same for life.
    public let id: DeliveryID
    /// What it carries besides its body.
    public let envelope: DeliveryEnvelope
    /// Where it stands.
    public let state: State
    /// All attempts ever made.
    public let attemptTotal: Int
    /// How often a person had it sent again.
    public let replayCount: Int

    /// Where a delivery stands.
    public enum State: Sendable, Equatable {
        /// On its way; due at this moment, or behind another one of its conversation.
        case waiting(dueAt: Timestamp?)
        /// PHP accepted it then.
        case delivered(at: Timestamp)
        /// Given up then, for this reason.
        case dead(at: Timestamp, reason: String)
    }
}

extension QueueSession {
    /// Longest that one step reads: a WAL cannot be restarted past a reader.
    private static let stepDuration = Duration.milliseconds(50)

    /// Searches the log for bodies that hold one of two byte strings, for at most 50 ms.
    ///
    /// - Parameters:
    ///   - needles: what is looked for, and another way of writing it.
    ///   - cursor: ``SearchStep/next`` of the step before; `.none` for the first.
    /// - Returns: what was found, and where to go on.
    /// - Throws: what every method of a session may throw.
    public func webhooks(
        holding needles: ([UInt8], [UInt8]),
        after cursor: WebhookID
    ) throws(QueueError) -> SearchStep<StoredWebhook> {
        try search(.searchLog, needles, after: cursor)
    }

    /// Searches the bodies of deliveries, in any state, for one of two byte strings.
    ///
    /// - Parameters:
    ///   - needles: what is looked for, and another way of writing it.
    ///   - cursor: ``SearchStep/next`` of the step before; `.none` for the first.
    /// - Returns: what was found, and where to go on.
    /// - Throws: what every method of a session may throw.
    public func deliveries(
        holding needles: ([UInt8], [UInt8]),
        after cursor: DeliveryID
    ) throws(QueueError) -> SearchStep<Delivery> {
        try search(.searchBodies, needles, after: cursor)
    }

    private func search<Subject>(
        _ sql: SQL,
        _ needles: ([UInt8], [UInt8]),
        after cursor: Identifier<Subject>
    ) throws(QueueError) -> SearchStep<Subject> {
        let select = try connection.statement(sql)
        defer { select.reset() }

        select.bind(1, cursor.rawValue)
        select.bind(2, blob: needles.0)
        select.bind(3, blob: needles.1)
        let deadline = MonotonicClock.now() + Self.stepDuration
        var found: [Identifier<Subject>] = []
        while try select.step() {
            let id = Identifier<Subject>(rawValue: select.int64(0))
            if select.int(1) == 1 { found.append(id) }
            if MonotonicClock.now() >= deadline { return SearchStep(found: found, next: id) }
        }
        return SearchStep(found: found, next: nil)
    }

    /// One delivery in whatever state; `nil` where it was purged, discarded or never was.
    public func delivery(_ id: DeliveryID) throws(QueueError) -> DeliveryView? {
        let select = try connection.statement(.oneDelivery)
        defer { select.reset() }

        select.bind(1, id.rawValue)
        guard try select.step() else { return nil }
        let settledAt = Timestamp(rawValue: select.int64(18))
        let state: DeliveryView.State =
            switch select.text(16) {
            case "delivered": .delivered(at: settledAt)
            case "dead": .dead(at: settledAt, reason: select.text(19))
            default: .waiting(dueAt: select.optionalInt64(17).map(Timestamp.init(rawValue:)))
            }
        return DeliveryView(
            id: id, envelope: DeliveryRow.envelope(at: select), state: state,
            attemptTotal: select.int(20), replayCount: select.int(21))
    }
}

extension LakeBooks {
    /// The batch that a webhook's statuses were sealed into, where the books still have it.
    ///
    /// - Parameter webhook: at or before the cursor, or there is none yet.
    /// - Returns: its object's name, and when the lake had it; `nil` where it is not known.
    /// - Throws: what every method of a session may throw.
    public func object(
        holding webhook: WebhookID
    ) throws(QueueError) -> (name: String, shippedAt: Timestamp?)? {
        let select = try connection.statement(
            """
            select object_name, shipped_at from lake_batch
            where first_webhook_id <= ?1 and last_webhook_id >= ?1 order by id limit 1
            """)
        defer { select.reset() }

        select.bind(1, webhook.rawValue)
        guard try select.step() else { return nil }
        return (select.text(0), select.optionalInt64(1).map(Timestamp.init(rawValue:)))
    }
}

extension SQL {
    static let searchLog: SQL = """
        select id, instr(body, ?2) > 0 or instr(body, ?3) > 0
        from webhook where id > ?1 order by id
        """

    static let searchBodies: SQL = """
        select delivery_id, instr(body, ?2) > 0 or instr(body, ?3) > 0
        from delivery_body where delivery_id > ?1 order by delivery_id
        """

    static let oneDelivery: SQL = """
        select id, key, webhook_id, part, received_at, conversations, field, phone_number_id,
          event_count, is_cut, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, state, due_at, settled_at, reason, attempt_total,
          replay_count
        from delivery where id = ?1
        """
}
