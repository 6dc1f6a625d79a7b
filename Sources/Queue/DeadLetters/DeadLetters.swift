import Base

/// Which dead letters are meant; all conditions must hold.
public struct DeadLetterFilter: Sendable, Equatable {
    /// ``DeadReason/name``.
    public var reason: String?
    /// The status code that decided.
    public var status: Int?
    /// Given up at this moment or later.
    public var since: Timestamp?
    /// Given up before this moment.
    public var until: Timestamp?
    /// One of its conversations, as the queue names it.
    public var conversation: String?
    /// The business number that it came to.
    public var phoneNumberID: String?
    /// The field of its first change, `messages` say.
    public var field: String?

    /// Meant are all dead letters.
    public init() {}
}

/// A delivery that was given up, without its body.
public struct DeadLetter: Sendable, Equatable {
    /// The same as when it was a delivery.
    public let id: DeliveryID
    /// What it carries besides its body.
    public let envelope: DeliveryEnvelope
    /// ``DeadReason/name``.
    public let reason: String
    /// The status code that decided, where one did.
    public let status: Int?
    /// When it was given up.
    public let diedAt: Timestamp
    /// Size of its body.
    public let byteCount: Int
    /// All attempts ever made.
    public let attemptTotal: Int
    /// How often a person had it sent again.
    public let replayCount: Int
}

/// A person's act on the queue, as the audit keeps it.
public struct Actor: Sendable {
    /// The system user who ran the command.
    public let systemUser: String

    /// - Parameter systemUser: a name of the operating system, not a person's phone number.
    public init(systemUser: String) { self.systemUser = systemUser }
}

/// The dead letters: they stay until a person replays or discards them.
public struct DeadLetters {
    let connection: Connection

    private var counters: Counters { Counters(connection: connection) }
    private var places: Places { Places(connection: connection) }

    /// Dead letters in the order of their ids, without bodies.
    ///
    /// - Parameters:
    ///   - filter: which are meant.
    ///   - limit: 1 or more.
    ///   - after: the last id of the page before.
    /// - Returns: one page; shorter than `limit` at the end.
    /// - Throws: what every method of a session may throw.
    public func list(
        _ filter: DeadLetterFilter = DeadLetterFilter(),
        limit: Int,
        after: DeliveryID? = nil
    ) throws(QueueError) -> [DeadLetter] {
        precondition(limit > 0, "a page holds at least one dead letter")
        let select = try connection.statement(.listDead)
        defer { select.reset() }

        bind(filter, to: select)
        select.bind(8, after?.rawValue ?? 0)
        select.bind(9, limit)
        var letters: [DeadLetter] = []
        while try select.step() { letters.append(Self.letter(at: select)) }
        return letters
    }

    /// How many dead letters a filter means.
    public func count(_ filter: DeadLetterFilter = DeadLetterFilter()) throws(QueueError) -> Int {
        let select = try connection.statement(.countDead)
        defer { select.reset() }

        bind(filter, to: select)
        return try select.step() ? select.int(0) : 0
    }

    /// One dead letter with its body and all attempts; `nil` where there is none of that id.
    public func show(
        _ id: DeliveryID
    ) throws(QueueError) -> (letter: DeadLetter, body: [UInt8], attempts: [Attempt])? {
        guard let letter = try letter(id) else { return nil }
        return (letter, try body(of: id), try attempts(of: id))
    }

    /// Every attempt that was made with a delivery, in order.
    public func attempts(of id: DeliveryID) throws(QueueError) -> [Attempt] {
        let select = try connection.statement(
            """
            select number, started_at, duration_ms, result, status, answer, is_spent
            from attempt where delivery_id = ?1 order by number
            """)
        defer { select.reset() }

        select.bind(1, id.rawValue)
        var attempts: [Attempt] = []
        while try select.step() {
            attempts.append(
                Attempt(
                    number: select.int(0),
                    startedAt: Timestamp(rawValue: select.int64(1)),
                    duration: .milliseconds(select.int64(2)),
                    result: select.text(3),
                    status: select.optionalInt64(4).map { Int($0) },
                    answer: select.blob(5),
                    isSpent: select.int(6) == 1))
        }
        return attempts
    }

    /// Gives dead letters a new budget and a turn at the end of their conversations.
    ///
    /// Ids, delivery keys and attempts stay. Ids that are no dead letters are passed over. Works in
    /// slices, so that the gate is never held long.
    ///
    /// - Returns: how many were replayed.
    public func replay(
        _ ids: [DeliveryID],
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> Int {
        try inSlices(ids) { (id) throws(QueueError) in
            guard let letter = try letter(id) else { return false }
            try restore(letter, now: now)
            try audit("replay", id, actor, note: nil, now: now)
            return true
        }
    }

    /// Removes dead letters for good; the audit keeps that, and why.
    ///
    /// - Returns: how many were discarded.
    public func discard(
        _ ids: [DeliveryID],
        because note: String?,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> Int {
        try inSlices(ids) { (id) throws(QueueError) in
            guard let letter = try letter(id) else { return false }
            try remove(letter, countingAs: .discarded)
            try audit("discard", id, actor, note: note, now: now)
            return true
        }
    }

    /// Puts an unparseable dead letter back at the end of the log, to be read by this release.
    ///
    /// - Returns: the new webhook, or `nil` where there is no such unparseable letter.
    public func appendAgain(
        _ id: DeliveryID,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> WebhookID? {
        try connection.write { () throws(QueueError) -> WebhookID? in
            guard let letter = try letter(id), letter.reason == "unparseable" else { return nil }
            let insert = try connection.statement(.appendDeadAgain)
            insert.bind(1, id.rawValue)
            try insert.run()
            let webhook = WebhookID(rawValue: connection.lastInsertedRowID)
            try remove(letter, countingAs: nil)
            // It will be found again where it stands now.
            try counters.add(-letter.envelope.eventCount, to: .forwardFound)
            try counters.add(1, to: .rereadWebhooks)
            try audit("reread", id, actor, note: "webhook \(webhook)", now: now)
            return webhook
        }
    }

    // MARK: Inside a transaction

    private func inSlices(
        _ ids: [DeliveryID],
        _ act: (DeliveryID) throws(QueueError) -> Bool
    ) throws(QueueError) -> Int {
        var rest = ids[...]
        var count = 0
        while !rest.isEmpty {
            let slice = rest.prefix(100)
            count += try connection.write { () throws(QueueError) in
                var changed = 0
                for id in slice where try act(id) { changed += 1 }
                CrashPoint.reached(.insideDeadSlice)
                return changed
            }
            CrashPoint.reached(.afterDeadSlice)
            rest = rest.dropFirst(slice.count)
        }
        return count
    }

    private func restore(_ letter: DeadLetter, now: Timestamp) throws(QueueError) {
        try places.lineUpAgain(
            letter.id, conversations: letter.envelope.conversations, now: now)
        try countLeaving(letter)
        try counters.add(letter.envelope.eventCount, to: .waiting)
        try counters.add(1, to: .waitingDeliveries)
    }

    private func remove(
        _ letter: DeadLetter,
        countingAs counter: CounterName?
    ) throws(QueueError) {
        for sql in SQL.deleteDelivery {
            let delete = try connection.statement(sql)
            delete.bind(1, letter.id.rawValue)
            try delete.run()
        }
        try countLeaving(letter)
        if let counter { try counters.add(letter.envelope.eventCount, to: counter) }
    }

    private func countLeaving(_ letter: DeadLetter) throws(QueueError) {
        try counters.add(-letter.envelope.eventCount, to: .dead)
        try counters.add(-1, to: .deadLetters)
    }

    private func audit(
        _ act: String,
        _ id: DeliveryID,
        _ actor: Actor,
        note: String?,
        now: Timestamp
    ) throws(QueueError) {
        try Audit(connection: connection).record(act, id, by: actor, note: note, now: now)
    }

    // MARK: Rows

    private func letter(_ id: DeliveryID) throws(QueueError) -> DeadLetter? {
        let select = try connection.statement(.oneDead)
        defer { select.reset() }

        select.bind(1, id.rawValue)
        return try select.step() ? Self.letter(at: select) : nil
    }

    private func body(of id: DeliveryID) throws(QueueError) -> [UInt8] {
        let select = try connection.statement(
            "select body from delivery_body where delivery_id = ?1")
        defer { select.reset() }

        select.bind(1, id.rawValue)
        return try select.step() ? select.blob(0) : []
    }

    private func bind(_ filter: DeadLetterFilter, to statement: Statement) {
        statement.bind(1, filter.reason)
        statement.bind(2, filter.status.map(Int64.init))
        statement.bind(3, filter.since?.rawValue)
        statement.bind(4, filter.until?.rawValue)
        statement.bind(5, filter.conversation)
        statement.bind(6, filter.phoneNumberID)
        statement.bind(7, filter.field)
    }

    private static func letter(at row: Statement) -> DeadLetter {
        DeadLetter(
            id: DeliveryID(rawValue: row.int64(0)),
            envelope: DeliveryRow.envelope(at: row),
            reason: row.text(16),
            status: row.optionalInt64(17).map { Int($0) },
            diedAt: Timestamp(rawValue: row.int64(18)),
            byteCount: row.int(19),
            attemptTotal: row.int(20),
            replayCount: row.int(21)
        )
    }
}
