import Base

extension DeliveryRow {
    /// Binds the first sixteen columns of an insert: what a delivery carries, and its body's size.
    static func bind(_ envelope: DeliveryEnvelope, byteCount: Int, to insert: Statement) {
        insert.bind(1, envelope.key)
        insert.bind(2, envelope.webhook.rawValue)
        insert.bind(3, envelope.part)
        insert.bind(4, envelope.receivedAt.rawValue)
        insert.bind(5, envelope.conversations.joined(separator: "\n"))
        insert.bind(6, envelope.field)
        insert.bind(7, envelope.phoneNumberID)
        insert.bind(8, envelope.eventCount)
        insert.bind(9, envelope.isCut)
        insert.bind(10, envelope.signature256)
        insert.bind(11, envelope.signature1)
        insert.bind(12, envelope.secretFingerprint)
        insert.bind(13, envelope.userAgent)
        insert.bind(14, envelope.contentType)
        insert.bind(15, envelope.remoteAddress)
        insert.bind(16, byteCount)
    }

    static func insertBody(
        _ body: [UInt8],
        of id: DeliveryID,
        _ connection: Connection
    ) throws(QueueError) {
        let insert = try connection.statement("insert into delivery_body values (?1, ?2)")
        insert.bind(1, id.rawValue)
        insert.bind(2, blob: body)
        try insert.run()
    }
}

/// Writes an attempt, in place of one of that number.
enum AttemptRow {
    static func insert(
        _ attempt: Attempt,
        of id: DeliveryID,
        _ connection: Connection
    ) throws(QueueError) {
        let insert = try connection.statement(
            "insert or replace into attempt values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        insert.bind(1, id.rawValue)
        insert.bind(2, attempt.number)
        insert.bind(3, attempt.startedAt.rawValue)
        insert.bind(4, attempt.duration.milliseconds)
        insert.bind(5, attempt.result)
        insert.bind(6, attempt.status.map(Int64.init))
        insert.bind(7, blob: attempt.answer)
        insert.bind(8, attempt.isSpent)
        try insert.run()
    }
}
