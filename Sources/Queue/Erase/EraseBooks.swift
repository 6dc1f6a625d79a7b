import Base
import CSQLite

/// A body as it is stored after a cut, signed anew.
public struct CutBody: Sendable {
    /// The bytes.
    public let body: [UInt8]
    /// `X-Hub-Signature-256` for them.
    public let signature256: String
    /// `X-Hub-Signature` for them.
    public let signature1: String
    /// The app secret that signed them.
    public let secretFingerprint: String

    /// Gathers a cut body.
    public init(
        body: [UInt8], signature256: String, signature1: String, secretFingerprint: String
    ) {
        self.body = body
        self.signature256 = signature256
        self.signature1 = signature1
        self.secretFingerprint = secretFingerprint
    }
}

/// Takes a person's events out of the queue; the books go on to balance, and name nobody.
///
/// The caller holds the locks of both pools, so that no cursor moves and nothing is under way.
public struct EraseBooks {
    let connection: Connection

    private var counters: Counters { Counters(connection: connection) }

    /// Puts a cut body in the place of a webhook's.
    ///
    /// What a consumer has still to find counts as found and erased.
    ///
    /// - Parameters:
    ///   - id: of the webhook; nothing happens where it was purged.
    ///   - cut: what is left, an envelope without events where nothing is.
    ///   - statusCount: statuses that were taken out.
    ///   - eventCount: other events that were taken out.
    /// - Throws: what every method of a session may throw; nothing is changed then.
    public func cutWebhook(
        _ id: WebhookID, to cut: CutBody, statusCount: Int, eventCount: Int
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            let update = try connection.statement(.cutWebhook)
            bind(cut, to: update)
            update.bind(5, id.rawValue)
            try update.run()
            guard connection.changeCount == 1 else { return }
            if try Cursor(connection: connection, consumer: .lake).position() < id {
                try counters.add(statusCount, to: .lakeFound)
                try counters.add(statusCount, to: .lakeErased)
            }
            if try Cursor(connection: connection, consumer: .forward).position() < id {
                try counters.add(eventCount, to: .forwardFound)
                try counters.add(eventCount, to: .erased)
            }
        }
    }

    /// Removes a delivery in whatever state, with its attempts.
    ///
    /// - Returns: its state before; nil where it is gone already.
    /// - Throws: what every method of a session may throw; nothing is changed then.
    @discardableResult
    public func removeDelivery(
        _ id: DeliveryID, now: Timestamp
    ) throws(QueueError) -> DeliveryView.State? {
        try connection.write { () throws(QueueError) -> DeliveryView.State? in
            guard let row = try row(id) else { return nil }
            try leave(row, conversations: row.conversations, id, now: now)
            for sql in SQL.deleteDelivery {
                let delete = try connection.statement(sql)
                delete.bind(1, id.rawValue)
                try delete.run()
            }
            try count(row.eventCount, out: row.state, isWhole: true)
            CrashPoint.reached(.insideErase)
            return row.viewState
        }
    }

    /// Puts a cut body in the place of a delivery's, and takes it out of a conversation.
    ///
    /// - Parameters:
    ///   - id: of the delivery.
    ///   - cut: what is left of it, with at least one event.
    ///   - eventCount: events that were taken out.
    ///   - conversations: those that it has nothing to do with any more.
    ///   - now: when whoever waited behind it there falls due.
    /// - Throws: what every method of a session may throw; nothing is changed then.
    public func cutDelivery(
        _ id: DeliveryID, to cut: CutBody, eventCount: Int, leaving conversations: [String],
        now: Timestamp
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            guard let row = try row(id) else { return }
            let left = conversations.filter(row.conversations.contains)
            let kept = row.conversations.filter { !left.contains($0) }
            guard !kept.isEmpty else { return }
            try leaveAndUnblock(row, left, id, now: now)
            let update = try connection.statement(.cutDelivery)
            bind(cut, to: update)
            update.bind(1, cut.body.count)
            update.bind(5, id.rawValue)
            update.bind(6, eventCount)
            update.bind(7, kept.joined(separator: "\n"))
            try update.run()
            let body = try connection.statement(
                "update delivery_body set body = ?2 where delivery_id = ?1")
            body.bind(1, id.rawValue)
            body.bind(2, blob: cut.body)
            try body.run()
            try count(eventCount, out: row.state, isWhole: false)
        }
    }

    /// Records that a batch has fewer lines, and another object name with them.
    ///
    /// Nothing happens where the books do not know it, any more or under that name: then it is
    /// done, and done once.
    ///
    /// - Parameters:
    ///   - objectName: as it was sealed.
    ///   - rest: the object that is there now under its new name; nil where no line is left.
    ///   - lineCount: lines that were taken out.
    /// - Throws: what every method of a session may throw; nothing is changed then.
    public func replaceObject(
        _ objectName: String, by rest: SealedBatch?, erasing lineCount: Int
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            let isShipped = try isShipped(objectName)
            let change = try connection.statement(rest == nil ? .removeBatch : .replaceBatch)
            change.bind(1, objectName)
            if let rest {
                change.bind(2, rest.objectName)
                change.bind(3, rest.sha256)
                change.bind(4, rest.byteCount)
                change.bind(5, rest.lineCount)
            }
            try change.run()
            guard connection.changeCount == 1 else { return }
            try counters.add(-lineCount, to: .lakeSealed)
            try counters.add(lineCount, to: .lakeErased)
            if isShipped { try counters.add(-lineCount, to: .lakeShipped) }
        }
    }

    private func isShipped(_ objectName: String) throws(QueueError) -> Bool {
        let select = try connection.statement(
            "select 1 from lake_batch where object_name = ?1 and shipped_at is not null")
        defer { select.reset() }

        select.bind(1, objectName)
        return try select.step()
    }

    /// Keeps in the audit that a person was erased, without saying whom.
    public func audit(_ note: String, by actor: Actor, now: Timestamp) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            try Audit(connection: connection).record("erase", nil, by: actor, note: note, now: now)
        }
    }

    // MARK: Rows

    private struct Row {
        let state: String
        let position: Int64?
        let conversations: [String]
        let eventCount: Int
        let settledAt: Timestamp

        var viewState: DeliveryView.State {
            switch state {
            case "delivered": .delivered(at: settledAt)
            case "dead": .dead(at: settledAt, reason: "")
            default: .waiting(dueAt: nil)
            }
        }
    }

    private func row(_ id: DeliveryID) throws(QueueError) -> Row? {
        let select = try connection.statement(
            """
            select state, position, conversations, event_count, settled_at
            from delivery where id = ?1
            """)
        defer { select.reset() }

        select.bind(1, id.rawValue)
        guard try select.step() else { return nil }
        return Row(
            state: select.text(0), position: select.optionalInt64(1),
            conversations: select.text(2).split(separator: "\n").map(String.init),
            eventCount: select.int(3), settledAt: Timestamp(rawValue: select.int64(4)))
    }

    private func leave(
        _ row: Row, conversations: [String], _ id: DeliveryID, now: Timestamp
    ) throws(QueueError) {
        guard let position = row.position else { return }
        try Places(connection: connection).leave(conversations, position: position, now: now)
    }

    /// It waits for fewer than before itself: those in front of it in what it leaves.
    private func leaveAndUnblock(
        _ row: Row, _ conversations: [String], _ id: DeliveryID, now: Timestamp
    ) throws(QueueError) {
        guard let position = row.position else { return }
        try Places(connection: connection).leave(conversations, position: position, now: now)
        let update = try connection.statement(.recountBlocked)
        update.bind(1, id.rawValue)
        update.bind(2, now.rawValue)
        try update.run()
    }

    private func count(_ events: Int, out state: String, isWhole: Bool) throws(QueueError) {
        switch state {
        case "waiting":
            try counters.add(-events, to: .waiting)
            try counters.add(events, to: .erased)
            if isWhole { try counters.add(-1, to: .waitingDeliveries) }
        case "dead":
            try counters.add(-events, to: .dead)
            try counters.add(events, to: .erased)
            if isWhole { try counters.add(-1, to: .deadLetters) }
        default:
            // Delivered is what PHP had: that it is kept no longer changes nothing, as in purging.
            break
        }
    }

    private func bind(_ cut: CutBody, to statement: Statement) {
        statement.bind(1, blob: cut.body)
        statement.bind(2, cut.signature256)
        statement.bind(3, cut.signature1)
        statement.bind(4, cut.secretFingerprint)
    }
}

extension QueueSession {
    /// Takes a person out of the queue.
    public var erase: EraseBooks { EraseBooks(connection: connection) }

    /// From now on this session overwrites with zeros whatever it frees, whole pages too.
    public func overwriteWhatIsFreed() throws(QueueError) {
        try connection.execute("pragma secure_delete = on")
    }
}

extension SQL {
    static let cutWebhook: SQL = """
        update webhook set body = ?1, signature_256 = ?2, signature_1 = ?3,
          secret_fingerprint = ?4
        where id = ?5
        """

    static let cutDelivery: SQL = """
        update delivery set byte_count = ?1, signature_256 = ?2, signature_1 = ?3,
          secret_fingerprint = ?4, is_cut = 1, event_count = event_count - ?6,
          conversations = ?7
        where id = ?5
        """

    static let recountBlocked: SQL = """
        update delivery set
          blocked_count = (select count(*) from place p where p.delivery_id = ?1
            and exists (select 1 from place f
              where f.conversation = p.conversation and f.position < p.position)),
          due_at = case when not exists (select 1 from place p where p.delivery_id = ?1
            and exists (select 1 from place f
              where f.conversation = p.conversation and f.position < p.position))
            then coalesce(due_at, ?2) end
        where id = ?1 and state = 'waiting'
        """

    /// Lines that a lake without names has had are not those it was counted by any more: all of it
    /// goes again, at least once as ever.
    static let replaceBatch: SQL = """
        update lake_batch set object_name = ?2, sha256 = ?3, byte_count = ?4, line_count = ?5,
          sent_line_count = 0
        where object_name = ?1
        """

    static let removeBatch: SQL =
        "delete from lake_batch where object_name = ?1"
}
