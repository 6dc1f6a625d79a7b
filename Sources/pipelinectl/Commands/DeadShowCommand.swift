import Base
import Queue

/// The command `dead show`.
enum DeadShowCommand: Command {
    private static let raw = Flag("raw", help: "only the body, byte for byte")
    private static let original = Flag(
        "original", help: "only the body as it was before the first edit, byte for byte")

    static let specification = CommandSpecification(
        words: ["dead", "show"],
        summary: "one dead letter with its body and every attempt",
        operands: .init(usage: "ID", count: 1...1),
        flags: [raw, original],
        details: [
            "On a terminal the body is broken into lines and control characters in it are written "
                + "out; --raw gives the bytes that PHP was sent."
        ],
        examples: [
            .init(line: "dead show 12", meaning: "why it was given up, and what it holds"),
            .init(line: "dead show 12 --raw > body.json", meaning: "the body, to try it by hand"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let asked = [arguments.has(raw), arguments.has(original), context.wantsJSON]
        guard asked.count(where: { $0 }) <= 1 else {
            throw .usage(arguments.mistake("--raw, --original or --json: not two of them"))
        }
        let ids = try Failure.usage { () throws(UsageError) in try DeadSelection.ids(arguments) }
        let session = try context.openQueue()
        let found = try Failure.queue { () throws(QueueError) in
            try session.deadLetters.show(ids[0])
        }
        guard let (letter, body, attempts) = found else {
            throw .notFound("there is no dead letter \(ids[0])")
        }
        let replaced = try Failure.queue { () throws(QueueError) in
            try session.deadLetters.replacedBodies(of: letter.id)
        }
        if arguments.has(raw) || arguments.has(original) {
            let first = arguments.has(original) ? replaced.first?.body : nil
            context.console.write(bytes: first ?? body)
            return ExitCode.ok
        }
        let view = DeadLetterView(
            letter: letter, body: body, attempts: attempts, replaced: replaced, now: context.now)
        guard case .person(let colour) = context.console.reader, !context.wantsJSON else {
            context.write(view.json) { Facts() }
            return ExitCode.ok
        }
        context.console.write(view.text(colour: colour))
        return ExitCode.ok
    }
}
