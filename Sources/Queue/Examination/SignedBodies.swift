import Base

/// A stored body with the signature that goes out with it.
public struct SignedBody: Sendable {
    /// Whose it is.
    public let delivery: DeliveryID
    /// The bytes of the POST.
    public let body: [UInt8]
    /// `X-Hub-Signature-256` for these bytes.
    public let signature256: String
    /// The app secret that verified the webhook; a cut body may be signed with another one.
    public let secretFingerprint: String
}

extension QueueSession {
    /// Bodies of deliveries, in any state, in the order of their ids.
    ///
    /// - Parameters:
    ///   - cursor: the last delivery of the page before; `.none` for the first.
    ///   - limit: 1 or more.
    ///   - byteCountMax: bodies are added until they exceed this; the first always is.
    /// - Returns: none at the end.
    /// - Throws: what every method of a session may throw.
    public func signedBodies(
        after cursor: DeliveryID, limit: Int, byteCountMax: Int
    ) throws(QueueError) -> [SignedBody] {
        let select = try connection.statement(
            """
            select id, body, signature_256, secret_fingerprint
            from delivery join delivery_body on delivery_id = id
            where id > ?1 order by id limit ?2
            """)
        defer { select.reset() }

        select.bind(1, cursor.rawValue)
        select.bind(2, limit)
        var bodies: [SignedBody] = []
        var byteCount = 0
        while try select.step() {
            let body = SignedBody(
                delivery: DeliveryID(rawValue: select.int64(0)), body: select.blob(1),
                signature256: select.text(2), secretFingerprint: select.text(3))
            byteCount += body.body.count
            guard bodies.isEmpty || byteCount <= byteCountMax else { break }
            bodies.append(body)
        }
        return bodies
    }
}
