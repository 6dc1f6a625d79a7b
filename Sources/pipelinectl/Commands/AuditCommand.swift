import Base
import Queue

/// The command `audit`.
enum AuditCommand: Command {
    private static let limit = Flag(
        "limit", .number(1...10_000), help: "at most so many (50 unless told)")
    private static let before = Flag(
        "before", .number(1...Int.max), help: "those before this id: the last one of a page before")
    private static let since = Flag("since", .moment, help: "done then or later")
    private static let until = Flag("until", .moment, help: "done before then")
    private static let act = Flag("act", .text("ACT"), help: "only these, discard say")
    private static let user = Flag("user", .text("NAME"), help: "by this system user")
    private static let delivery = Flag(
        "delivery", .number(1...Int.max), help: "to the delivery or dead letter of this id")

    private static let limitDefault = 50

    static let specification = CommandSpecification(
        words: ["audit"],
        summary: "what people did to deliveries and dead letters, newest first",
        flags: [limit, before, since, until, act, user, delivery],
        details: [
            "Kept with the time and the system user in the transaction that did it, as long as the "
                + "queue. The user is the one who called sudo, where one did.",
            DeadSelection.momentsParagraph,
            "In a pipe, separated by tabs: id, time, system user, act, delivery, note.",
        ],
        examples: [
            .init(line: "audit", meaning: "the last fifty"),
            .init(
                line: "audit --act discard --since 30d", meaning: "what was thrown away, and why"),
            .init(line: "audit --delivery 12", meaning: "what was done to this one"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let limit = arguments.number(limit) ?? limitDefault
        let filter = filter(arguments)
        let before = arguments.number(before).map(Int64.init)
        let session = try context.openQueue()
        // One more than asked for tells whether there is a next page.
        let found = try Failure.queue { () throws(QueueError) in
            try session.audit.list(filter, limit: limit + 1, before: before)
        }
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { Int($0.id) } : nil
        let json: JSONValue = [
            "items": .array(page.map(Self.json)),
            "next_before": .optional(next),
        ]
        guard !context.wantsJSON, page.isEmpty, context.console.reader != .program else {
            let rows = page.map { row($0, now: context.now) }
            context.write(Table(columns: columns, rows: rows), json: json)
            if let next, !context.wantsJSON {
                context.console.remark("there are more: add --before \(next)")
            }
            return ExitCode.ok
        }
        context.console.write("nothing was done\n")
        return ExitCode.ok
    }

    private static func filter(_ arguments: ParsedArguments) -> AuditFilter {
        var filter = AuditFilter()
        filter.since = arguments.moment(since)
        filter.until = arguments.moment(until)
        filter.act = arguments.text(act)
        filter.systemUser = arguments.text(user)
        filter.delivery = arguments.number(delivery).map { DeliveryID(rawValue: Int64($0)) }
        return filter
    }

    private static func json(_ line: AuditLine) -> JSONValue {
        [
            "id": .int(Int(line.id)),
            "at": .string(line.at.rfc3339),
            "system_user": .string(line.systemUser),
            "act": .string(line.act),
            "delivery": .optional(line.delivery.map { Int($0.rawValue) }),
            "note": .optional(line.note),
        ]
    }

    private static let columns: [Table.Column] = [
        .init(title: "ID", isNumber: true), .init(title: "DONE"), .init(title: "BY"),
        .init(title: "ACT"), .init(title: "DELIVERY", isNumber: true), .init(title: "NOTE"),
    ]

    private static func row(_ line: AuditLine, now: Timestamp) -> [Table.Cell] {
        [
            .init("\(line.id)", tone: .strong),
            .init(line.at.rfc3339, humane: Humane.ago(line.at, now: now)),
            .init(line.systemUser),
            .init(line.act),
            .init(line.delivery.map { "\($0)" } ?? ""),
            .init(line.note ?? ""),
        ]
    }
}
