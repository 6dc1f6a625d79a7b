import Base
import Queue

/// The command `lake verify`.
enum LakeVerifyCommand: Command {
    private static let since = Flag(
        "since", .moment, help: "the first day of receipt to look at (all unless told)")
    private static let quick = Flag(
        "quick", help: "names and sizes only: lists the lake and reads none of it")

    static let specification = CommandSpecification(
        words: ["lake", "verify"],
        summary: "is everything in the lake that was shipped, whole, readable, and once?",
        flags: [since, quick],
        details: [
            "Compares the lake with the queue's books: objects that are missing, have other bytes "
                + "or lines, or that the queue knows nothing of. Then reads every object, and "
                + "reports lines that are no JSON and statuses that one host wrote twice. "
                + "Objects of other hosts are read too, and measured by the hash in their names. "
                + "Leaves with 1 when anything is wrong. Changes nothing; pipeline and lake may "
                + "be at work.",
            "Keys of more than two million statuses are sorted on disk, 24 bytes each, in TMPDIR "
                + "(/var/tmp where it is not set). In S3 a full look costs a GET an object.",
        ],
        examples: [
            .init(line: "lake verify", meaning: "everything"),
            .init(
                line: "lake verify --since 2d --quick",
                meaning: "did what was shipped since the day before yesterday arrive?"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let location = QueueLocation(path: try context.settings { $0.string(.queuePath) })
        let store = try LakePlace.store(context)
        let session = try context.openQueue(location)
        let progress = Progress("objects:", of: nil, on: context.console)
        defer { progress.end() }

        let verification = try LakeVerification(
            store, against: session, location: location,
            since: context.arguments.moment(since).map { String($0.rfc3339.prefix(10)) },
            isQuick: context.arguments.has(quick),
            spillDirectory: context.spillDirectory, progress: progress)
        try verification.run()
        progress.end()
        let findings = verification.findings
        context.write(findings.json) { findings.facts }
        if !context.wantsJSON, !findings.problems.isEmpty, case .person = context.console.reader {
            context.console.write("\n")
            context.console.write(findings.table)
        }
        return findings.isWell ? ExitCode.ok : ExitCode.failed
    }
}

extension Context {
    /// Where what does not fit into memory goes: /tmp may be memory itself.
    var spillDirectory: String {
        let told = environment["TMPDIR"] ?? ""
        return told.isEmpty ? "/var/tmp" : told
    }
}
