import Base
import Queue

/// A dead letter in the forms in which commands show it.
enum DeadLetterForm {
    /// The keys that a list has of each dead letter; `dead show` adds to them.
    static func members(_ letter: DeadLetter) -> [JSONValue.Member] {
        let envelope = letter.envelope
        return [
            .init(key: "id", value: .int(Int(letter.id.rawValue))),
            .init(key: "reason", value: .string(letter.reason)),
            .init(key: "status", value: .optional(letter.status)),
            .init(key: "died_at", value: .string(letter.diedAt.rfc3339)),
            .init(key: "received_at", value: .string(envelope.receivedAt.rfc3339)),
            .init(
                key: "conversations",
                value: .array(envelope.conversations.map { .string($0) })),
            .init(key: "field", value: .string(envelope.field)),
            .init(key: "phone_number_id", value: .optional(envelope.phoneNumberID)),
            .init(key: "events", value: .int(envelope.eventCount)),
            .init(key: "attempts_total", value: .int(letter.attemptTotal)),
            .init(key: "replays", value: .int(letter.replayCount)),
            .init(key: "bytes", value: .int(letter.byteCount)),
            .init(key: "delivery_id", value: .string(envelope.key)),
            .init(key: "webhook_id", value: .int(Int(envelope.webhook.rawValue))),
        ]
    }

    /// A body: a JSON string where it is UTF-8, Base64 beside it where it is not.
    static func members(body: [UInt8]) -> [JSONValue.Member] {
        guard let text = String(validating: body, as: UTF8.self) else {
            return [
                .init(key: "body", value: .null),
                .init(key: "body_base64", value: .string(Base64.encode(body))),
            ]
        }
        return [.init(key: "body", value: .string(text))]
    }

    static func json(_ attempt: Attempt) -> JSONValue {
        .object(
            [
                .init(key: "id", value: .int(attempt.number)),
                .init(key: "started_at", value: .string(attempt.startedAt.rfc3339)),
                .init(key: "duration_ms", value: .int(Int(attempt.duration.milliseconds))),
                .init(key: "result", value: .string(attempt.result)),
                .init(key: "status", value: .optional(attempt.status)),
                .init(key: "spent", value: .bool(attempt.isSpent)),
            ] + answer(attempt.answer))
    }

    /// A body that an edit replaced, in the form of the letter itself.
    static func json(_ replaced: ReplacedBody) -> JSONValue {
        .object(
            [
                .init(key: "id", value: .int(replaced.number)),
                .init(key: "replaced_at", value: .string(replaced.replacedAt.rfc3339)),
                .init(key: "system_user", value: .string(replaced.systemUser)),
                .init(key: "cut", value: .bool(replaced.isCut)),
                .init(
                    key: "headers",
                    value: [
                        "X-Hub-Signature-256": .string(replaced.signature256),
                        "X-Hub-Signature": .optional(replaced.signature1),
                    ]),
                .init(key: "secret_fingerprint", value: .string(replaced.secretFingerprint)),
            ] + members(body: replaced.body))
    }

    /// Always a text to read; what it stands for is beside it where it is no UTF-8.
    private static func answer(_ bytes: [UInt8]) -> [JSONValue.Member] {
        let text = JSONValue.Member(
            key: "answer", value: .string(String(decoding: bytes, as: UTF8.self)))
        guard String(validating: bytes, as: UTF8.self) == nil else { return [text] }
        return [text, .init(key: "answer_base64", value: .string(Base64.encode(bytes)))]
    }

    /// Columns of `dead list`; a pipe gets the same values, exact.
    static let columns: [Table.Column] = [
        .init(title: "ID", isNumber: true), .init(title: "GIVEN UP"), .init(title: "REASON"),
        .init(title: "STATUS", isNumber: true), .init(title: "CONVERSATION"),
        .init(title: "FIELD"), .init(title: "ATTEMPTS", isNumber: true),
        .init(title: "REPLAYS", isNumber: true), .init(title: "SIZE", isNumber: true),
    ]

    static func row(_ letter: DeadLetter, now: Timestamp) -> [Table.Cell] {
        [
            .init("\(letter.id)", tone: .strong),
            .init(letter.diedAt.rfc3339, humane: Humane.ago(letter.diedAt, now: now)),
            .init(letter.reason),
            .init(letter.status.map(String.init) ?? ""),
            .init(letter.envelope.conversations.joined(separator: " ")),
            .init(letter.envelope.field),
            .init("\(letter.attemptTotal)", humane: Humane.count(letter.attemptTotal)),
            .init("\(letter.replayCount)", humane: Humane.count(letter.replayCount)),
            .init("\(letter.byteCount)", humane: Humane.size(letter.byteCount)),
        ]
    }
}
