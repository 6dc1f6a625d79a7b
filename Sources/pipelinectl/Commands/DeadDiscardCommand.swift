import Base
import Queue

/// The command `dead discard`.
enum DeadDiscardCommand: Command {
    private static let because = Flag(
        "because", .text("TEXT"), help: "why; the audit keeps it (required)")

    /// Longest reason that is kept.
    private static let noteByteCountMax = 1_000

    static let specification = CommandSpecification(
        words: ["dead", "discard"],
        summary: "removes dead letters for good, and keeps who did it and why",
        operands: .init(usage: "[ID...]", count: 0...10_000),
        flags: [because] + DeadSelection.flags + [.dryRun],
        details: [
            "A discarded letter is gone: PHP never sees it. `dead show` it before.",
            DeadSelection.momentsParagraph,
        ],
        examples: [
            .init(
                line: "dead discard 12 --because \"a test of ours\"", meaning: "this one"),
            .init(
                line: "dead discard --reason unparseable --because \"fuzzing\" --dry-run",
                meaning: "how many would it be?"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let (selection, note) = try Failure.usage { () throws(UsageError) in
            (try DeadSelection.selection(arguments), try self.note(arguments))
        }
        let session = try context.openQueue()
        let isDryRun = arguments.has(.dryRun)
        let (count, missing) = try Failure.queue { () throws(QueueError) in
            try discard(selection, because: note, in: session, context, isDryRun: isDryRun)
        }
        let json: JSONValue = [
            "dry_run": .bool(isDryRun),
            "discarded": .int(count),
            "not_found": .array(missing.map { .int(Int($0.rawValue)) }),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add(
                isDryRun ? "would discard" : "discarded", Humane.count(count, "dead letter"))
            return facts
        }
        for id in missing { context.console.remark("there is no dead letter \(id)") }
        return missing.isEmpty ? ExitCode.ok : ExitCode.notFound
    }

    private static func note(_ arguments: ParsedArguments) throws(UsageError) -> String {
        guard let note = arguments.text(because) else {
            throw arguments.mistake("why? Say it with --because \"...\"; the audit keeps it")
        }
        guard note.utf8.count <= noteByteCountMax else {
            throw arguments.mistake("--because takes up to \(noteByteCountMax) bytes")
        }
        return note
    }

    private static func discard(
        _ selection: DeadSelection,
        because note: String,
        in session: QueueSession,
        _ context: Context,
        isDryRun: Bool
    ) throws(QueueError) -> (count: Int, missing: [DeliveryID]) {
        let deadLetters = session.deadLetters
        switch selection {
        case .ids(let ids):
            var known: [DeliveryID] = []
            var missing: [DeliveryID] = []
            for id in ids {
                if try deadLetters.show(id) == nil { missing.append(id) } else { known.append(id) }
            }
            guard !isDryRun else { return (known.count, missing) }
            let count = try deadLetters.discard(
                known, because: note, by: context.actor, now: context.now)
            return (count, missing)
        case .filter(let filter):
            var walk = try DeadWalk(filter, in: deadLetters)
            guard !isDryRun else { return (walk.count, []) }
            var count = 0
            while let page = try walk.next() {
                count += try deadLetters.discard(
                    page.map(\.id), because: note, by: context.actor, now: context.now)
            }
            return (count, [])
        }
    }
}
