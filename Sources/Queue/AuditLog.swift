import Base

/// One act of a person, as it was kept.
public struct AuditLine: Sendable, Equatable {
    /// Counts the acts of a queue.
    public let id: Int64
    /// When it was done.
    public let at: Timestamp
    /// The system user who did it.
    public let systemUser: String
    /// What was done, `discard` say.
    public let act: String
    /// To which delivery; `nil` for an act on many, which the note describes.
    public let delivery: DeliveryID?
    /// Why, or what else there is to know.
    public let note: String?
}

/// Which acts are meant; all conditions must hold.
public struct AuditFilter: Sendable, Equatable {
    /// Done then or later.
    public var since: Timestamp?
    /// Done before then.
    public var until: Timestamp?
    /// ``AuditLine/act``.
    public var act: String?
    /// ``AuditLine/systemUser``.
    public var systemUser: String?
    /// ``AuditLine/delivery``.
    public var delivery: DeliveryID?

    /// Meant are all acts.
    public init() {}
}

/// What people did, newest first; kept as long as the queue.
public struct AuditLog {
    let connection: Connection

    /// One page of acts.
    ///
    /// - Parameters:
    ///   - filter: which are meant.
    ///   - limit: 1 or more.
    ///   - before: the last id of the page before; `nil` for the first.
    /// - Returns: one page; shorter than `limit` at the end.
    /// - Throws: what every method of a session may throw.
    public func list(
        _ filter: AuditFilter = AuditFilter(),
        limit: Int,
        before: Int64? = nil
    ) throws(QueueError) -> [AuditLine] {
        precondition(limit > 0, "a page holds at least one act")
        let select = try connection.statement(.listAudit)
        defer { select.reset() }

        select.bind(1, filter.since?.rawValue)
        select.bind(2, filter.until?.rawValue)
        select.bind(3, filter.act)
        select.bind(4, filter.systemUser)
        select.bind(5, filter.delivery?.rawValue)
        select.bind(6, before ?? Int64.max)
        select.bind(7, limit)
        var lines: [AuditLine] = []
        while try select.step() {
            lines.append(
                AuditLine(
                    id: select.int64(0), at: Timestamp(rawValue: select.int64(1)),
                    systemUser: select.text(2), act: select.text(3),
                    delivery: select.optionalInt64(4).map(DeliveryID.init(rawValue:)),
                    note: select.optionalText(5)))
        }
        return lines
    }

    /// Keeps that somebody carried dead letters away, with the messages in them.
    ///
    /// - Throws: what every method of a session may throw.
    public func recordExport(
        _ note: String,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            try Audit(connection: connection)
                .record("export", nil, by: actor, note: note, now: now)
        }
    }
}

extension QueueSession {
    /// What people did.
    public var audit: AuditLog { AuditLog(connection: connection) }
}

extension SQL {
    static let listAudit: SQL = """
        select id, at, system_user, act, delivery_id, note from audit
        where id < ?6
          and (?1 is null or at >= ?1) and (?2 is null or at < ?2)
          and (?3 is null or act = ?3) and (?4 is null or system_user = ?4)
          and (?5 is null or delivery_id = ?5)
        order by id desc limit ?7
        """
}
