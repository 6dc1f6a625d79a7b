import Base
import Queue

/// The command `dead list`.
enum DeadListCommand: Command {
    private static let limit = Flag(
        "limit", .number(1...10_000), help: "at most so many (50 unless told)")
    private static let after = Flag(
        "after", .number(0...Int.max), help: "those behind this id: the last one of a page before")

    private static let limitDefault = 50

    static let specification = CommandSpecification(
        words: ["dead", "list"],
        summary: "dead letters, in the order of their ids",
        flags: [limit, after] + DeadSelection.filterFlags,
        details: [
            DeadSelection.momentsParagraph,
            "In a pipe, separated by tabs: id, given up at, reason, status, conversations, field, "
                + "attempts, replays, bytes.",
        ],
        examples: [
            .init(line: "dead list", meaning: "the first fifty"),
            .init(
                line: "dead list --reason refused --status 400 --since 24h",
                meaning: "what PHP answered 400 to since yesterday"),
            .init(line: "dead list --limit 1000 --json", meaning: "a page for a script"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let filter = DeadSelection.filter(arguments)
        let limit = arguments.number(limit) ?? limitDefault
        let after = arguments.number(after).map { DeliveryID(rawValue: Int64($0)) }
        let session = try context.openQueue()
        // One more than asked for tells whether there is a next page.
        let found = try Failure.queue { () throws(QueueError) in
            try session.deadLetters.list(filter, limit: limit + 1, after: after)
        }
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { Int($0.id.rawValue) } : nil
        let json: JSONValue = [
            "items": .array(page.map { .object(DeadLetterForm.members($0)) }),
            "next_after": .optional(next),
        ]
        let rows = page.map { DeadLetterForm.row($0, now: context.now) }
        guard !context.wantsJSON, page.isEmpty, context.console.reader != .program else {
            context.write(Table(columns: DeadLetterForm.columns, rows: rows), json: json)
            if let next, !context.wantsJSON {
                context.console.remark("there are more: add --after \(next)")
            }
            return ExitCode.ok
        }
        context.console.write("no dead letters\n")
        return ExitCode.ok
    }
}
