import Base
import Queue

/// The command `dead export`.
enum DeadExportCommand: Command {
    private static let out = Flag(
        "out", .text("FILE"), help: "a new file, closed to other users, instead of standard output")

    static let specification = CommandSpecification(
        words: ["dead", "export"],
        summary: "dead letters as lines of JSON, to keep or to import elsewhere",
        operands: .init(usage: "[ID...]", count: 0...10_000),
        flags: DeadSelection.flags + [out],
        details: [
            "Each line is what `dead show --json` says of a letter: all there is of it, messages "
                + "and phone numbers included. The letters stay where they are.",
            DeadSelection.momentsParagraph,
        ],
        examples: [
            .init(line: "dead export --all --out letters.ndjson", meaning: "every dead letter"),
            .init(
                line: "dead export --status 500 | jq -r .body", meaning: "what PHP choked on"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let selection = try Failure.usage { () throws(UsageError) in
            try DeadSelection.selection(arguments)
        }
        let session = try context.openQueue()
        try recordExport(selection, in: session, context)
        var export = DeadExport(deadLetters: session.deadLetters, now: context.now)
        guard let path = arguments.text(out) else {
            try export.run(selection, progress: nil) { (line) throws(Failure) in
                context.console.write(line)
            }
            return report(export, context)
        }
        let progress = Progress("exported", of: nil, on: context.console)
        defer { progress.end() }

        let file = try Failure.system { () throws(SystemError) in try NewFile(path) }
        try export.run(selection, progress: progress) { (line) throws(Failure) in
            try Failure.system { () throws(SystemError) in try file.write(Array(line.utf8)) }
        }
        try Failure.system { () throws(SystemError) in try file.finish() }
        let json: JSONValue = [
            "exported": .int(export.count), "file": .string(path),
            "not_found": .array(export.missing.map { .int(Int($0.rawValue)) }),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add("exported", Humane.count(export.count, "dead letter") + " to \(path)")
            return facts
        }
        return report(export, context)
    }

    /// Before the first line leaves: who carried messages away is known, whatever happens then.
    private static func recordExport(
        _ selection: DeadSelection,
        in session: QueueSession,
        _ context: Context
    ) throws(Failure) {
        try Failure.queue { () throws(QueueError) in
            let count =
                switch selection {
                case .ids(let ids): ids.count
                case .filter(let filter): try session.deadLetters.count(filter)
                }
            let target = context.arguments.text(out).map { " to \($0)" } ?? ""
            try session.audit.recordExport(
                "\(count) dead letters\(target)", by: context.actor, now: context.now)
        }
    }

    private static func report(_ export: DeadExport, _ context: Context) -> Int32 {
        for id in export.missing { context.console.remark("there is no dead letter \(id)") }
        return export.missing.isEmpty ? ExitCode.ok : ExitCode.notFound
    }
}

/// Writes dead letters out, one at a time.
struct DeadExport {
    let deadLetters: DeadLetters
    let now: Timestamp
    private(set) var count = 0
    private(set) var missing: [DeliveryID] = []

    init(deadLetters: DeadLetters, now: Timestamp) {
        self.deadLetters = deadLetters
        self.now = now
    }

    mutating func run(
        _ selection: DeadSelection,
        progress: Progress?,
        write: (String) throws(Failure) -> Void
    ) throws(Failure) {
        switch selection {
        case .ids(let ids):
            for id in ids where try !export(id, write: write) { missing.append(id) }
        case .filter(let filter):
            var walk = try Failure.queue { () throws(QueueError) in
                try DeadWalk(filter, in: deadLetters)
            }
            while let page = try Failure.queue({ () throws(QueueError) in try walk.next() }) {
                for letter in page { _ = try export(letter.id, write: write) }
                progress?.show(count)
            }
        }
    }

    private mutating func export(
        _ id: DeliveryID,
        write: (String) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        let found = try Failure.queue { () throws(QueueError) in try deadLetters.show(id) }
        guard let (letter, body, attempts) = found else { return false }
        let replaced = try Failure.queue { () throws(QueueError) in
            try deadLetters.replacedBodies(of: id)
        }
        let view = DeadLetterView(
            letter: letter, body: body, attempts: attempts, replaced: replaced, now: now)
        try write(view.json.text + "\n")
        count += 1
        return true
    }
}
