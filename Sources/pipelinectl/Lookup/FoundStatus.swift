import Base
import Foundation

/// One status of a message, wherever it was found.
struct FoundStatus: Equatable, Sendable {
    /// Tells it from its doubles.
    let key: String
    /// `sent`, `delivered`, ...
    let status: String
    /// When it happened, as WhatsApp says.
    let happenedAt: Timestamp?
    let receivedAt: Timestamp?
    /// In a group: whose status it is.
    let participant: String?
    let pricing: Pricing?
    let errors: [Fault]
    /// The webhook in the log, where it is still there.
    let webhook: Int?
    /// The object or spool file, where it was found in one.
    let object: String?
    /// The line as it stands, or will stand, in the lake.
    let line: String

    /// What WhatsApp says of the price; never an amount.
    struct Pricing: Equatable, Sendable {
        let isBillable: Bool?
        let category: String?
        let type: String?
        let model: String?
    }

    /// Why a message failed.
    struct Fault: Equatable, Sendable {
        let code: Int?
        let title: String?
        let details: String?
    }

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
        participant =
            ["recipient_participant_id", "participant_recipient_id"].lazy
            .compactMap { fields[$0] as? String }.first
        pricing = (fields["pricing"] as? [String: Any]).map(Pricing.init)
        errors = (fields["errors"] as? [Any] ?? []).compactMap { $0 as? [String: Any] }
            .map(Fault.init)
        self.webhook = webhook
        self.object = object
        self.line = String(decoding: line, as: UTF8.self)
    }

    /// How far it got: the order of the views in docs/LAKE.md.
    var stage: Int {
        switch status {
        case "sent": 1
        case "failed": 2
        case "delivered": 3
        case "read": 4
        case "played": 5
        default: 0
        }
    }

    var json: JSONValue {
        [
            "id": .string(key),
            "status": .string(status),
            "happened_at": .optional(happenedAt?.rfc3339),
            "received_at": .optional(receivedAt?.rfc3339),
            "participant": .optional(participant),
            "pricing": pricing?.json ?? .null,
            "errors": .array(errors.map(\.json)),
            "webhook_id": .optional(webhook),
            "object": .optional(object),
            "line": .string(line),
        ]
    }
}

extension FoundStatus.Pricing {
    init(_ fields: [String: Any]) {
        isBillable = fields["billable"] as? Bool
        category = fields["category"] as? String
        type = fields["type"] as? String
        model = fields["pricing_model"] as? String
    }

    /// `billable: marketing, regular (PMP)`.
    var text: String {
        let kind = isBillable.map { $0 ? "billable" : "free" } ?? "not said whether billable"
        let words = [category, type].compactMap { $0 }.joined(separator: ", ")
        return kind + (words.isEmpty ? "" : ": \(words)") + (model.map { " (\($0))" } ?? "")
    }

    var json: JSONValue {
        [
            "billable": isBillable.map { .bool($0) } ?? .null,
            "category": .optional(category), "type": .optional(type), "model": .optional(model),
        ]
    }
}

extension FoundStatus.Fault {
    init(_ fields: [String: Any]) {
        code = fields["code"] as? Int ?? (fields["code"] as? String).flatMap { Int($0) }
        title = fields["title"] as? String
        details = (fields["error_data"] as? [String: Any])?["details"] as? String
    }

    /// `131049 Not delivered: In order to maintain ...`.
    var text: String {
        let name = [code.map(String.init), title].compactMap { $0 }.joined(separator: " ")
        let words = [name.isEmpty ? nil : name, details == title ? nil : details]
        return words.compactMap { $0 }.joined(separator: ": ")
    }

    var json: JSONValue {
        ["code": .optional(code), "title": .optional(title), "details": .optional(details)]
    }
}
