import Base
import Foundation
import Queue

/// Reads a line that `dead export` wrote.
///
/// Strict: what it takes in stands in the queue from then on.
struct DeadLetterReader {
    /// What is wrong with a line.
    struct Mistake: Error, Equatable {
        let text: String
    }

    private static let conversationCountMax = 1_000
    private static let textBytesMax = 4_096
    private static let eventCountMax = 1_000_000
    private static let attemptCountMax = 10_000
    private static let replacedCountMax = 1_000

    private let fields: [String: Any]

    /// Reads one line.
    static func read(_ line: [UInt8]) throws(Mistake) -> DeadLetterCopy {
        let value = try? JSONSerialization.jsonObject(with: Data(line))
        guard let fields = value as? [String: Any] else {
            throw Mistake(text: "not a JSON object")
        }
        return try DeadLetterReader(fields: fields).copy()
    }

    private func copy() throws(Mistake) -> DeadLetterCopy {
        let reason = try text("reason")
        guard DeadReason.names.contains(reason) else {
            throw Mistake(
                text: "reason: expected one of \(DeadReason.names.joined(separator: ", "))")
        }
        return DeadLetterCopy(
            envelope: try envelope(), reason: reason,
            status: try optionalNumber("status", in: 0...999),
            diedAt: try moment("died_at"),
            attemptTotal: try number("attempts_total", in: 0...Int(Int32.max)),
            replayCount: try number("replays", in: 0...Int(Int32.max)),
            attempts: try attempts(), body: try bytes("body"), replaced: try replacedBodies())
    }

    /// Lines of releases that knew no edits have none.
    private func replacedBodies() throws(Mistake) -> [ReplacedBody] {
        guard let given = fields["replaced_bodies"] else { return [] }
        guard let values = given as? [[String: Any]], values.count <= Self.replacedCountMax else {
            throw Mistake(text: "replaced_bodies: expected an array of objects")
        }
        var bodies: [ReplacedBody] = []
        for value in values { bodies.append(try DeadLetterReader(fields: value).replacedBody()) }
        guard Set(bodies.map(\.number)).count == bodies.count else {
            throw Mistake(text: "replaced_bodies: expected different ids")
        }
        return bodies
    }

    private func replacedBody() throws(Mistake) -> ReplacedBody {
        guard let isCut = fields["cut"] as? Bool else {
            throw Mistake(text: "cut: expected a bool")
        }
        let headers = DeadLetterReader(fields: fields["headers"] as? [String: Any] ?? [:])
        return ReplacedBody(
            number: try number("id", in: 1...Self.replacedCountMax),
            replacedAt: try moment("replaced_at"), systemUser: try text("system_user"),
            isCut: isCut,
            signature256: try headers.text("X-Hub-Signature-256"),
            signature1: try headers.optionalText("X-Hub-Signature"),
            secretFingerprint: try text("secret_fingerprint"), body: try bytes("body"))
    }

    private func envelope() throws(Mistake) -> DeliveryEnvelope {
        let headers = DeadLetterReader(fields: fields["headers"] as? [String: Any] ?? [:])
        guard let isCut = fields["cut"] as? Bool else {
            throw Mistake(text: "cut: expected a bool")
        }
        return DeliveryEnvelope(
            key: try text("delivery_id"),
            webhook: WebhookID(rawValue: Int64(try number("webhook_id", in: 0...Int.max))),
            part: try number("part", in: 0...Int(Int32.max)),
            receivedAt: try moment("received_at"),
            conversations: try conversations(),
            field: fields["field"] as? String == "" ? "" : try text("field"),
            phoneNumberID: try optionalText("phone_number_id"),
            eventCount: try number("events", in: 1...Self.eventCountMax),
            isCut: isCut,
            signature256: try headers.text("X-Hub-Signature-256"),
            signature1: try headers.optionalText("X-Hub-Signature"),
            secretFingerprint: try text("secret_fingerprint"),
            userAgent: try headers.optionalText("User-Agent"),
            contentType: try headers.optionalText("Content-Type"),
            remoteAddress: try headers.text("X-Forwarded-For"))
    }

    private func conversations() throws(Mistake) -> [String] {
        guard let names = fields["conversations"] as? [String],
            (1...Self.conversationCountMax).contains(names.count),
            Set(names).count == names.count, names.allSatisfy(Self.isLine)
        else { throw Mistake(text: "conversations: expected an array of different names") }
        return names
    }

    private func attempts() throws(Mistake) -> [Attempt] {
        guard let values = fields["attempts"] as? [[String: Any]],
            values.count <= Self.attemptCountMax
        else { throw Mistake(text: "attempts: expected an array of objects") }
        var attempts: [Attempt] = []
        for value in values { attempts.append(try DeadLetterReader(fields: value).attempt()) }
        guard Set(attempts.map(\.number)).count == attempts.count else {
            throw Mistake(text: "attempts: expected different ids")
        }
        return attempts
    }

    private func attempt() throws(Mistake) -> Attempt {
        guard let isSpent = fields["spent"] as? Bool else {
            throw Mistake(text: "spent: expected a bool")
        }
        return Attempt(
            number: try number("id", in: 0...Int(Int32.max)),
            startedAt: try moment("started_at"),
            duration: .milliseconds(try number("duration_ms", in: 0...Int(Int32.max))),
            result: try text("result"),
            status: try optionalNumber("status", in: 0...999),
            answer: try bytes("answer"), isSpent: isSpent)
    }

    // MARK: Values

    private func text(_ key: String) throws(Mistake) -> String {
        guard let text = try optionalText(key) else { throw Mistake(text: "\(key) is missing") }
        return text
    }

    private func optionalText(_ key: String) throws(Mistake) -> String? {
        switch fields[key] {
        case nil, is NSNull: return nil
        case let text as String where Self.isLine(text): return text
        default: throw Mistake(text: "\(key): expected a text of one line")
        }
    }

    /// What goes into headers and ordering keys holds no control character, and is not endless.
    private static func isLine(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= textBytesMax
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }

    private func number(_ key: String, in range: ClosedRange<Int>) throws(Mistake) -> Int {
        guard let number = try optionalNumber(key, in: range) else {
            throw Mistake(text: "\(key) is missing")
        }
        return number
    }

    private func optionalNumber(_ key: String, in range: ClosedRange<Int>) throws(Mistake) -> Int? {
        switch fields[key] {
        case nil, is NSNull: return nil
        case let number as Int where range.contains(number): return number
        default:
            throw Mistake(text: "\(key): expected \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private func moment(_ key: String) throws(Mistake) -> Timestamp {
        guard let moment = Timestamp(rfc3339: try text(key)) else {
            throw Mistake(text: "\(key): expected a time like 2026-11-23T18:00:00.000Z")
        }
        return moment
    }

    /// Bytes as `dead show` writes them: a text, or Base64 under another key.
    private func bytes(_ key: String) throws(Mistake) -> [UInt8] {
        if let coded = fields[key + "_base64"] as? String {
            guard let bytes = Base64.decode(coded) else {
                throw Mistake(text: "\(key)_base64: expected Base64")
            }
            return bytes
        }
        guard let text = fields[key] as? String else { throw Mistake(text: "\(key) is missing") }
        return Array(text.utf8)
    }
}
