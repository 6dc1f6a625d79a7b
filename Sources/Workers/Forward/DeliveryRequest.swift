import Base
import Queue

/// Builds the POST of a delivery: the body and the headers as WhatsApp sent them, and our own.
struct DeliveryRequest: Sendable {
    /// `FORWARD_URL`.
    let url: String
    /// `FORWARD_HEADERS`: they come last, and replace one of the same name.
    let extraHeaders: [HTTPRequest.Header]

    /// The request of one delivery.
    func make(_ delivery: Delivery) -> HTTPRequest {
        let envelope = delivery.envelope
        var request = HTTPRequest(method: "POST", url: url, headers: [], body: delivery.body)
        func add(_ name: String, _ value: String?) {
            guard let value = value.map(Self.clean), !value.isEmpty else { return }
            request.headers.append(HTTPRequest.Header(name: name, value: value))
        }
        add("Content-Type", envelope.contentType ?? "application/json")
        add("Content-Length", String(delivery.body.count))
        add("X-Hub-Signature-256", envelope.signature256)
        add("X-Hub-Signature", envelope.signature1)
        add("User-Agent", envelope.userAgent ?? "whatsapp-webhook-pipeline")
        add("X-Forwarded-For", envelope.remoteAddress)
        add("X-Delivery-Id", envelope.key)
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
