import Base

/// Everything there is of a dead letter, to be carried to another queue.
public struct DeadLetterCopy: Sendable, Equatable {
    /// What it carries besides its body.
    public var envelope: DeliveryEnvelope
    /// ``DeadReason/name``.
    public var reason: String
    /// The status code that decided, where one did.
    public var status: Int?
    /// When it was given up.
    public var diedAt: Timestamp
    /// All attempts ever made.
    public var attemptTotal: Int
    /// How often a person had it sent again.
    public var replayCount: Int
    /// Those attempts that were kept, their numbers different.
    public var attempts: [Attempt]
    /// What PHP was sent.
    public var body: [UInt8]
    /// The bodies before it, where it was edited; their numbers different.
    public var replaced: [ReplacedBody]

    /// Gathers the parts of a copy.
    public init(
        envelope: DeliveryEnvelope,
        reason: String,
        status: Int?,
        diedAt: Timestamp,
        attemptTotal: Int,
        replayCount: Int,
        attempts: [Attempt],
        body: [UInt8],
        replaced: [ReplacedBody] = []
    ) {
        self.envelope = envelope
        self.reason = reason
        self.status = status
        self.diedAt = diedAt
        self.attemptTotal = attemptTotal
        self.replayCount = replayCount
        self.attempts = attempts
        self.body = body
        self.replaced = replaced
    }
}

extension DeadLetters {
    /// Keys of dead letters behind an id, in the order of their ids, to tell what is here already.
    ///
    /// - Parameters:
    ///   - id: the last id of the page before; `.none` for the first.
    ///   - limit: 1 or more.
    /// - Returns: one page; shorter than `limit` at the end.
    /// - Throws: what every method of a session may throw.
    public func keys(
        after id: DeliveryID,
        limit: Int
    ) throws(QueueError) -> [(id: DeliveryID, key: String)] {
        let select = try connection.statement(
            "select id, key from delivery where state = 'dead' and id > ?1 order by id limit ?2")
        defer { select.reset() }

        select.bind(1, id.rawValue)
        select.bind(2, limit)
        var keys: [(id: DeliveryID, key: String)] = []
        while try select.step() {
            keys.append((DeliveryID(rawValue: select.int64(0)), select.text(1)))
        }
        return keys
    }

    /// Takes in copies from another queue, in one transaction, under ids of this one.
    ///
    /// They count as found here, so that the books go on to balance.
    ///
    /// - Parameters:
    ///   - copies: few enough for one transaction: a hundred, or a megabyte of bodies.
    ///   - actor: for the audit, a line for each.
    ///   - now: for the audit.
    /// - Throws: what every method of a session may throw; none is taken in then.
    public func takeIn(
        _ copies: [DeadLetterCopy],
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            for copy in copies {
                let id = try insert(copy)
                for attempt in copy.attempts { try AttemptRow.insert(attempt, of: id, connection) }
                for body in copy.replaced { try ReplacedBodyRow.insert(body, of: id, connection) }
                let counters = Counters(connection: connection)
                try counters.add(copy.envelope.eventCount, to: .forwardFound)
                try counters.add(copy.envelope.eventCount, to: .dead)
                try counters.add(1, to: .deadLetters)
                try Audit(connection: connection)
                    .record("import", id, by: actor, note: nil, now: now)
            }
            CrashPoint.reached(.insideImport)
        }
        CrashPoint.reached(.afterImport)
    }

    private func insert(_ copy: DeadLetterCopy) throws(QueueError) -> DeliveryID {
        let insert = try connection.statement(.insertDeadCopy)
        DeliveryRow.bind(copy.envelope, byteCount: copy.body.count, to: insert)
        insert.bind(17, copy.diedAt.rawValue)
        insert.bind(18, copy.reason)
        insert.bind(19, copy.status.map(Int64.init))
        insert.bind(20, copy.attemptTotal)
        insert.bind(21, copy.replayCount)
        try insert.run()
        let id = DeliveryID(rawValue: connection.lastInsertedRowID)
        try DeliveryRow.insertBody(copy.body, of: id, connection)
        return id
    }
}

extension SQL {
    static let insertDeadCopy: SQL = """
        insert into delivery (key, webhook_id, part, received_at, conversations, field,
          phone_number_id, event_count, is_cut, signature_256, signature_1, secret_fingerprint,
          user_agent, content_type, remote_address, byte_count, state, settled_at, reason,
          reason_status, attempt_total, replay_count)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 'dead',
          ?17, ?18, ?19, ?20, ?21)
        """
}
