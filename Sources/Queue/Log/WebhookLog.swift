import Base
import CSQLite

/// One webhook on its way into the log; its bytes are borrowed and must stay until append returns.
public struct PendingWebhook {
    /// When the last byte of the request was read.
    public var receivedAt: Timestamp
    /// The body as it came, 1 byte or more.
    public var body: UnsafeRawBufferPointer
    /// The header `X-Hub-Signature-256` as it came.
    public var signature256: UnsafeRawBufferPointer
    /// The header `X-Hub-Signature` as it came, empty where there was none.
    public var signature1: UnsafeRawBufferPointer
    /// The header `User-Agent`, empty where there was none.
    public var userAgent: UnsafeRawBufferPointer
    /// The header `Content-Type`, empty where there was none.
    public var contentType: UnsafeRawBufferPointer
    /// The sender's address as text, not empty.
    public var remoteAddress: UnsafeRawBufferPointer
    /// The fingerprint of the app secret that verified the signature, as text, not empty.
    public var secretFingerprint: UnsafeRawBufferPointer

    /// Gathers the borrowed parts of one webhook.
    public init(
        receivedAt: Timestamp,
        body: UnsafeRawBufferPointer,
        signature256: UnsafeRawBufferPointer,
        signature1: UnsafeRawBufferPointer,
        userAgent: UnsafeRawBufferPointer,
        contentType: UnsafeRawBufferPointer,
        remoteAddress: UnsafeRawBufferPointer,
        secretFingerprint: UnsafeRawBufferPointer
    ) {
        self.receivedAt = receivedAt
        self.body = body
        self.signature256 = signature256
        self.signature1 = signature1
        self.userAgent = userAgent
        self.contentType = contentType
        self.remoteAddress = remoteAddress
        self.secretFingerprint = secretFingerprint
    }
}

/// One row of the log.
public struct StoredWebhook: Sendable {
    /// Its place in the log.
    public let id: WebhookID
    /// When its last byte was read.
    public let receivedAt: Timestamp
    /// The bytes that WhatsApp sent.
    public let body: [UInt8]
    /// `X-Hub-Signature-256` as it came.
    public let signature256: String
    /// `X-Hub-Signature` as it came.
    public let signature1: String?
    /// Which app secret verified the signature.
    public let secretFingerprint: String
    /// `User-Agent` as it came.
    public let userAgent: String?
    /// `Content-Type` as it came.
    public let contentType: String?
    /// The sender's address, the proxies' word for it where they are trusted.
    public let remoteAddress: String
}

/// The log of webhooks: appended by ingest in groups, read by each consumer behind its cursor.
public struct WebhookLog {
    let connection: Connection

    /// Stores a group of webhooks in one synced transaction: all of them, or none where it throws.
    ///
    /// The caller holds the gate. Blocks for one sync of the disk.
    ///
    /// - Throws: ``QueueError/full``; ``QueueError/syncFailed(detail:)``, after which the process
    ///   must stop, since a second sync may succeed without having written.
    public func appendHoldingGate(_ webhooks: [PendingWebhook]) throws(QueueError) {
        // The note wakes the workers too, so nothing else has to.
        try connection.writeHoldingGate(announcingBy: { gate in
            gate.noteLastWebhook(connection.lastInsertedRowID, of: connection.queueID)
        }) { () throws(QueueError) in
            let insert = try connection.statement(.appendWebhook)
            defer { insert.reset() }

            for webhook in webhooks {
                insert.bind(1, webhook.receivedAt.rawValue)
                insert.bindUnowned(2, textOrNull: webhook.signature256)
                insert.bindUnowned(3, textOrNull: webhook.signature1)
                insert.bindUnowned(4, textOrNull: webhook.secretFingerprint)
                insert.bindUnowned(5, textOrNull: webhook.userAgent)
                insert.bindUnowned(6, textOrNull: webhook.contentType)
                insert.bindUnowned(7, textOrNull: webhook.remoteAddress)
                insert.bindUnowned(8, blob: webhook.body)
                _ = try insert.step()
                insert.rewind()
            }
            CrashPoint.reached(.insideAppend)
        }
        CrashPoint.reached(.afterCommit)
    }

    /// Reads the webhooks behind a cursor, in the order of their ids.
    ///
    /// - Parameters:
    ///   - cursor: the last webhook that was read.
    ///   - limit: 1 or more.
    ///   - byteCountMax: bodies are added until they exceed this many bytes; the first is always
    ///     returned, whatever its size.
    /// - Returns: none where nothing stands behind the cursor.
    /// - Throws: what every method of a session may throw.
    public func read(
        after cursor: WebhookID,
        limit: Int,
        byteCountMax: Int
    ) throws(QueueError) -> [StoredWebhook] {
        precondition(limit > 0, "a read asks for at least one webhook")
        let select = try connection.statement(.readLog)
        defer { select.reset() }

        select.bind(1, cursor.rawValue)
        select.bind(2, limit)
        var webhooks: [StoredWebhook] = []
        var byteCount = 0
        while try select.step() {
            let webhook = Self.webhook(at: select)
            byteCount += webhook.body.count
            guard webhooks.isEmpty || byteCount <= byteCountMax else { break }
            webhooks.append(webhook)
        }
        return webhooks
    }

    /// One webhook, or `nil` where it was purged or never was.
    public func webhook(_ id: WebhookID) throws(QueueError) -> StoredWebhook? {
        let webhook = try read(
            after: WebhookID(rawValue: id.rawValue - 1), limit: 1, byteCountMax: 0
        ).first
        return webhook?.id == id ? webhook : nil
    }

    /// The last webhook that was ever appended, also where it has been purged since.
    public func lastID() throws(QueueError) -> WebhookID {
        WebhookID(rawValue: try connection.scalar(.lastWebhookID) ?? 0)
    }

    /// When the first webhook behind `cursor` was received, or `nil` where there is none.
    public func oldestReceivedAt(after cursor: WebhookID) throws(QueueError) -> Timestamp? {
        let select = try connection.statement(.firstReceivedAt)
        defer { select.reset() }

        select.bind(1, cursor.rawValue)
        guard try select.step() else { return nil }
        return Timestamp(rawValue: select.int64(0))
    }

    private static func webhook(at row: Statement) -> StoredWebhook {
        StoredWebhook(
            id: WebhookID(rawValue: row.int64(0)),
            receivedAt: Timestamp(rawValue: row.int64(1)),
            body: row.blob(8),
            signature256: row.text(2),
            signature1: row.optionalText(3),
            secretFingerprint: row.text(4),
            userAgent: row.optionalText(5),
            contentType: row.optionalText(6),
            remoteAddress: row.text(7)
        )
    }
}

extension SQL {
    static let appendWebhook: SQL = """
        insert into webhook (received_at, signature_256, signature_1, secret_fingerprint,
          user_agent, content_type, remote_address, body)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """

    static let readLog: SQL = """
        select id, received_at, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, body
        from webhook where id > ?1 order by id limit ?2
        """

    /// AUTOINCREMENT's own memory, which outlives the rows.
    static let lastWebhookID: SQL = "select seq from sqlite_sequence where name = 'webhook'"

    static let firstReceivedAt: SQL =
        "select received_at from webhook where id > ?1 order by id limit 1"
}
