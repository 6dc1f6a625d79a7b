import Base
import Queue

/// All that is known of one dead letter, in its two forms.
struct DeadLetterView {
    let letter: DeadLetter
    let body: [UInt8]
    let attempts: [Attempt]
    let replaced: [ReplacedBody]
    let now: Timestamp

    var json: JSONValue {
        let envelope = letter.envelope
        let headers: JSONValue = [
            "X-Hub-Signature-256": .string(envelope.signature256),
            "X-Hub-Signature": .optional(envelope.signature1),
            "User-Agent": .optional(envelope.userAgent),
            "Content-Type": .optional(envelope.contentType),
            "X-Forwarded-For": .string(envelope.remoteAddress),
        ]
        return .object(
            DeadLetterForm.members(letter)
                + [
                    .init(key: "part", value: .int(envelope.part)),
                    .init(key: "cut", value: .bool(envelope.isCut)),
                    .init(key: "secret_fingerprint", value: .string(envelope.secretFingerprint)),
                    .init(key: "headers", value: headers),
                    .init(
                        key: "attempts", value: .array(attempts.map(DeadLetterForm.json))),
                    .init(
                        key: "replaced_bodies",
                        value: .array(replaced.map(DeadLetterForm.json))),
                ] + DeadLetterForm.members(body: body))
    }

    func text(colour: Bool) -> String {
        let heading = { Tone.strong.painted($0, colour: colour) + "\n" }
        var text = heading("dead letter \(letter.id)") + facts.aligned(colour: colour)
        text += "\n" + heading("attempts")
        text += attempts.isEmpty ? "none\n" : table.aligned(colour: colour)
        text += "\n" + heading("body, \(Humane.size(body.count))")
        let lines = PrettyJSON.indented(String(decoding: body, as: UTF8.self))
        return text + HostileText.lines(lines) + "\n"
    }

    private var facts: Facts {
        let envelope = letter.envelope
        var facts = Facts()
        let status = letter.status.map { ", status \($0)" } ?? ""
        facts.add("reason", letter.reason + status, .bad)
        facts.add("given up", moment(letter.diedAt))
        facts.add("received", moment(envelope.receivedAt))
        facts.add("conversation", envelope.conversations.joined(separator: " "))
        facts.add("field", envelope.field.isEmpty ? "-" : envelope.field)
        facts.add("phone number id", envelope.phoneNumberID ?? "-")
        facts.add(
            "holds",
            Humane.count(envelope.eventCount, "event")
                + (envelope.isCut ? ", cut from webhook " : ", all of webhook ")
                + "\(envelope.webhook)")
        facts.add("delivery id", envelope.key)
        facts.add("replays", Humane.count(letter.replayCount))
        if let last = replaced.last {
            facts.add(
                "edited",
                "\(Humane.count(replaced.count, "time")), by \(last.systemUser) "
                    + moment(last.replacedAt), .warning)
        }
        facts.add("signature", envelope.signature256)
        facts.add("user agent", envelope.userAgent ?? "-")
        facts.add("content type", envelope.contentType ?? "-")
        facts.add("sent from", envelope.remoteAddress)
        return facts
    }

    private func moment(_ moment: Timestamp) -> String {
        "\(Humane.ago(moment, now: now)) (\(moment.rfc3339))"
    }

    private var table: Table {
        let columns: [Table.Column] = [
            .init(title: "NUMBER", isNumber: true), .init(title: "STARTED"),
            .init(title: "TOOK", isNumber: true), .init(title: "RESULT"),
            .init(title: "STATUS", isNumber: true), .init(title: "SPENT"), .init(title: "ANSWER"),
        ]
        let rows = attempts.map { attempt -> [Table.Cell] in
            [
                .init("\(attempt.number)"),
                .init(attempt.startedAt.rfc3339),
                .init("", humane: Humane.duration(attempt.duration)),
                .init(attempt.result),
                .init(attempt.status.map(String.init) ?? ""),
                .init(attempt.isSpent ? "yes" : "no"),
                .init(String(decoding: attempt.answer, as: UTF8.self)),
            ]
        }
        return Table(columns: columns, rows: rows)
    }
}
