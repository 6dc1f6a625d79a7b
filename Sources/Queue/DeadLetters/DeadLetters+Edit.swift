import Base

/// What a person makes of a dead letter: another body, and what follows from it.
public struct DeadLetterEdit: Sendable {
    /// The bytes of the POST from now on.
    public var body: [UInt8]
    /// `X-Hub-Signature-256` for it.
    public var signature256: String
    /// `X-Hub-Signature` for it.
    public var signature1: String
    /// The app secret that signed it.
    public var secretFingerprint: String
    /// The conversations that it belongs to now; `nil` where they stay what they are.
    public var place: Place?

    /// Where a body belongs.
    public struct Place: Sendable {
        /// The ordering keys, one or more; no control characters.
        public var conversations: [String]
        /// The field of its first change.
        public var field: String
        /// The business number that it came to.
        public var phoneNumberID: String?

        /// Gathers the parts.
        public init(conversations: [String], field: String, phoneNumberID: String?) {
            precondition(!conversations.isEmpty, "a delivery has a conversation")
            self.conversations = conversations
            self.field = field
            self.phoneNumberID = phoneNumberID
        }
    }

    /// Gathers the parts of an edit.
    public init(
        body: [UInt8],
        signature256: String,
        signature1: String,
        secretFingerprint: String,
        place: Place?
    ) {
        self.body = body
        self.signature256 = signature256
        self.signature1 = signature1
        self.secretFingerprint = secretFingerprint
        self.place = place
    }
}

/// A body that an edit replaced.
public struct ReplacedBody: Sendable, Equatable {
    /// 1 for what was received, then in the order of the edits.
    public let number: Int
    /// When it was replaced.
    public let replacedAt: Timestamp
    /// Who did it.
    public let systemUser: String
    /// Whether it was cut already, and not what WhatsApp sent.
    public let isCut: Bool
    /// The signatures and the secret that belonged to it.
    public let signature256: String
    /// As ``signature256``, SHA-1; WhatsApp may not have sent one.
    public let signature1: String?
    /// The app secret that verified or signed it.
    public let secretFingerprint: String
    /// Its bytes.
    public let body: [UInt8]

    /// Gathers the parts.
    public init(
        number: Int,
        replacedAt: Timestamp,
        systemUser: String,
        isCut: Bool,
        signature256: String,
        signature1: String?,
        secretFingerprint: String,
        body: [UInt8]
    ) {
        self.number = number
        self.replacedAt = replacedAt
        self.systemUser = systemUser
        self.isCut = isCut
        self.signature256 = signature256
        self.signature1 = signature1
        self.secretFingerprint = secretFingerprint
        self.body = body
    }
}

/// What came of an edit.
public enum DeadLetterEditOutcome: Sendable, Equatable {
    /// It is stored; the body before it is kept under this number.
    case edited(number: Int)
    /// The letter has another body than the one that was edited: nothing is stored.
    case changedMeanwhile
    /// It is no dead letter any more: nothing is stored.
    case gone
}

extension DeadLetters {
    /// Replaces the body of a dead letter and keeps the one before, in one transaction.
    ///
    /// Id, delivery key, attempts and event count stay: the books count what WhatsApp sent. The
    /// letter stays a dead letter until it is replayed.
    ///
    /// - Parameters:
    ///   - id: a dead letter.
    ///   - original: the body that the person saw; where it is another by now, nothing is stored.
    ///   - edit: the new body, signed.
    ///   - actor: for the audit.
    ///   - now: for the audit.
    /// - Returns: whether it is stored, and if not, why.
    /// - Throws: what every method of a session may throw; nothing is stored then.
    public func replaceBody(
        of id: DeliveryID,
        seen original: [UInt8],
        with edit: DeadLetterEdit,
        by actor: Actor,
        now: Timestamp
    ) throws(QueueError) -> DeadLetterEditOutcome {
        try connection.write { () throws(QueueError) -> DeadLetterEditOutcome in
            guard let (letter, body, _) = try show(id) else { return .gone }
            guard body == original else { return .changedMeanwhile }
            let number = try replacedBodies(of: id).count + 1
            let replaced = ReplacedBody(
                number: number, replacedAt: now, systemUser: actor.systemUser,
                isCut: letter.envelope.isCut, signature256: letter.envelope.signature256,
                signature1: letter.envelope.signature1,
                secretFingerprint: letter.envelope.secretFingerprint, body: body)
            try ReplacedBodyRow.insert(replaced, of: id, connection)
            try store(edit, in: letter)
            let note = "\(body.count) bytes replaced by \(edit.body.count), kept as \(number)"
            try Audit(connection: connection).record("edit", id, by: actor, note: note, now: now)
            CrashPoint.reached(.insideEdit)
            return .edited(number: number)
        }
    }

    /// The bodies that edits of a delivery replaced, oldest first.
    public func replacedBodies(of id: DeliveryID) throws(QueueError) -> [ReplacedBody] {
        let select = try connection.statement(.replacedBodies)
        defer { select.reset() }

        select.bind(1, id.rawValue)
        var bodies: [ReplacedBody] = []
        while try select.step() { bodies.append(ReplacedBodyRow.body(at: select)) }
        return bodies
    }

    private func store(_ edit: DeadLetterEdit, in letter: DeadLetter) throws(QueueError) {
        let envelope = letter.envelope
        let update = try connection.statement(.editDelivery)
        update.bind(1, letter.id.rawValue)
        update.bind(2, edit.signature256)
        update.bind(3, edit.signature1)
        update.bind(4, edit.secretFingerprint)
        update.bind(5, edit.body.count)
        let conversations = edit.place?.conversations ?? envelope.conversations
        update.bind(6, conversations.joined(separator: "\n"))
        update.bind(7, edit.place?.field ?? envelope.field)
        update.bind(8, edit.place.map(\.phoneNumberID) ?? envelope.phoneNumberID)
        try update.run()
        let body = try connection.statement(
            "update delivery_body set body = ?2 where delivery_id = ?1")
        body.bind(1, letter.id.rawValue)
        body.bind(2, blob: edit.body)
        try body.run()
    }
}

/// Rows of `replaced_body`.
enum ReplacedBodyRow {
    static func insert(
        _ replaced: ReplacedBody,
        of id: DeliveryID,
        _ connection: Connection
    ) throws(QueueError) {
        let insert = try connection.statement(
            "insert into replaced_body values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        insert.bind(1, id.rawValue)
        insert.bind(2, replaced.number)
        insert.bind(3, replaced.replacedAt.rawValue)
        insert.bind(4, replaced.systemUser)
        insert.bind(5, replaced.isCut)
        insert.bind(6, replaced.signature256)
        insert.bind(7, replaced.signature1)
        insert.bind(8, replaced.secretFingerprint)
        insert.bind(9, blob: replaced.body)
        try insert.run()
    }

    static func body(at row: Statement) -> ReplacedBody {
        ReplacedBody(
            number: row.int(0), replacedAt: Timestamp(rawValue: row.int64(1)),
            systemUser: row.text(2), isCut: row.int(3) == 1, signature256: row.text(4),
            signature1: row.optionalText(5), secretFingerprint: row.text(6), body: row.blob(7))
    }
}

extension SQL {
    static let replacedBodies: SQL = """
        select number, replaced_at, system_user, is_cut, signature_256, signature_1,
          secret_fingerprint, body
        from replaced_body where delivery_id = ?1 order by number
        """

    static let editDelivery: SQL = """
        update delivery set is_cut = 1, signature_256 = ?2, signature_1 = ?3,
          secret_fingerprint = ?4, byte_count = ?5, conversations = ?6, field = ?7,
          phone_number_id = ?8
        where id = ?1 and state = 'dead'
        """
}
