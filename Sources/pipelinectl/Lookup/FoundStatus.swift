import Base
import Foundation

/// One status of a message, wherever it was found.
struct FoundStatus: Equatable {
    /// Tells it from its doubles.
    let key: String
    /// `sent`, `delivered`, ...
    let status: String
    /// When it happened, as WhatsApp says.
    let happenedAt: Timestamp?
    let receivedAt: Timestamp?
    /// The webhook in the log, where it is still there.
    let webhook: Int?
    /// The object or spool file, where it was found in one.
    let object: String?
    /// The line as it stands, or will stand, in the lake.
    let line: String

    /// Reads a line of the lake.
    ///
    /// - Returns: `nil` where the line is of another message, or no line of ours.
    init?(line: [UInt8], of message: String, webhook: Int?, object: String?) {
        guard let value = try? JSONSerialization.jsonObject(with: Data(line)),
            let fields = value as? [String: Any], fields["id"] as? String == message,
            let key = fields["event_key"] as? String
        else { return nil }
        self.key = key
        status = fields["status"] as? String ?? "?"
        let seconds =
            (fields["timestamp"] as? String).flatMap { Int64($0) }
            ?? (fields["timestamp"] as? Int).map { Int64($0) }
        happenedAt = seconds.map { Timestamp(seconds: $0) }
        receivedAt = (fields["received_at"] as? String).flatMap { Timestamp(rfc3339: $0) }
        self.webhook = webhook
        self.object = object
        self.line = String(decoding: line, as: UTF8.self)
    }

    var json: JSONValue {
        [
            "id": .string(key),
            "status": .string(status),
            "happened_at": .optional(happenedAt?.rfc3339),
            "received_at": .optional(receivedAt?.rfc3339),
            "webhook_id": .optional(webhook),
            "object": .optional(object),
            "line": .string(line),
        ]
    }
}
