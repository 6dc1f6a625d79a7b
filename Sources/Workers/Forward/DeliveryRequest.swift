import Base
import Queue
import WhatsApp

/// Builds the POST of a delivery: the body and the headers as WhatsApp sent them, and our own.
struct DeliveryRequest: Sendable {
    /// The destination's.
    let url: String
    /// `FORWARD_HEADERS`: they come last, and replace one of the same name.
    let extraHeaders: [HTTPRequest.Header]

    /// The request of one delivery, or of several in one body that is signed with `secret`.
    ///
    /// - Parameters:
    ///   - deliveries: not empty; several only where each has one element of `entry`.
    ///   - secret: the one that verified them.
    /// - Returns: the POST, its headers as documented in docs/PHP.md.
    func make(_ deliveries: [Delivery], secret: AppSecret) -> HTTPRequest {
        let first = deliveries[0]
        guard deliveries.count > 1 else {
            return make(first, body: first.body, ids: first.envelope.key)
        }
        let entries = deliveries.compactMap { delivery in
            BatchBody.entry(of: delivery.body).map { (delivery.body, $0) }
        }
        precondition(entries.count == deliveries.count, "what travels together has one entry each")
        var together = first
        let body = BatchBody.join(entries)
        let signatures = SignatureVerifier.sign(body: body, secret: secret)
        together.envelope.signature256 = signatures.signature256
        together.envelope.signature1 = signatures.signature1
        together.envelope.receivedAt =
            deliveries.map(\.envelope.receivedAt).min() ?? first.envelope.receivedAt
        return make(
            together, body: body, ids: deliveries.map(\.envelope.key).joined(separator: ", "))
    }

    private func make(_ delivery: Delivery, body: [UInt8], ids: String) -> HTTPRequest {
        let envelope = delivery.envelope
        var request = HTTPRequest(method: "POST", url: url, headers: [], body: body)
        func add(_ name: String, _ value: String?) {
            guard let value = value.map(Self.clean), !value.isEmpty else { return }
            request.headers.append(HTTPRequest.Header(name: name, value: value))
        }
        add("Content-Type", envelope.contentType ?? "application/json")
        add("Content-Length", String(body.count))
        add("X-Hub-Signature-256", envelope.signature256)
        add("X-Hub-Signature", envelope.signature1)
        add("User-Agent", envelope.userAgent ?? "whatsapp-webhook-pipeline")
        add("X-Forwarded-For", envelope.remoteAddress)
        add("X-Delivery-Id", ids)
        add("X-Delivery-Attempt", String(delivery.attemptTotal + 1))
        add("X-Webhook-Received-At", envelope.receivedAt.rfc3339)
        if delivery.replayCount > 0 { add("X-Delivery-Replay", String(delivery.replayCount)) }
        for header in extraHeaders {
            request.headers.removeAll { $0.name.lowercased() == header.name.lowercased() }
            add(header.name, header.value)
        }
        return request
    }

    /// Without control characters: nothing from the internet ends a header line.
    private static func clean(_ value: String) -> String {
        let isClean = value.utf8.allSatisfy { ($0 >= 32 && $0 != 127) || $0 == 9 }
        if isClean { return value }
        return String(
            decoding: value.utf8.filter { ($0 >= 32 && $0 != 127) || $0 == 9 }, as: UTF8.self)
    }
}
