import Base
import Queue

/// The command `lookup`.
enum LookupCommand: Command {
    private static let since = Flag(
        "since", .moment, help: "how far back the lake is searched (8d unless told)")
    private static let limit = Flag(
        "limit", .number(0...100_000_000),
        help: "objects of the lake to read at most, the newest first (20000 unless told)")

    private static let sinceDefault = Duration.seconds(8 * 86_400)
    private static let limitDefault = 20_000

    static let specification = CommandSpecification(
        words: ["lookup"],
        summary: "what became of one message: delivered, read, at what price, or why not",
        operands: .init(usage: "WAMID", count: 1...1),
        flags: [since, limit],
        details: [
            "Searches the log, the deliveries that are kept, what is sealed and not shipped, and "
                + "the lake, directory or bucket: every object of those days is read, the newest "
                + "first. Says at the end where it looked and where it did not.",
            "In a pipe, separated by tabs: when, what, where.",
        ],
        examples: [
            .init(
                line: "lookup wamid.HBgLMTU1NTAxMDAwMDAVAgARGBI=",
                meaning: "was it delivered, and what became of it?"),
            .init(
                line: "lookup wamid.HBgLMTU1NTAxMDAwMDAVAgARGBI= --since 30d --json",
                meaning: "with older statuses, for a script"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        guard let needles = MessageNeedles(arguments.operands[0]) else {
            throw .usage(arguments.mistake("\"\(arguments.operands[0])\" is no id of a message"))
        }
        let (location, lakeURL) = try context.settings { reader in
            (QueueLocation(path: reader.string(.queuePath)), reader.string(.lakeURL))
        }
        let session = try context.openQueue(location)
        let since = arguments.moment(since) ?? context.now - sinceDefault
        var search = MessageSearch(
            session: session, needles: needles,
            coverage: LookupCoverage(lake: lakeURL, since: String(since.rfc3339.prefix(10))))
        try searchQueue(&search, context)
        searchFiles(&search, location, context)
        return try report(search, context)
    }

    private static func searchQueue(
        _ search: inout MessageSearch,
        _ context: Context
    ) throws(Failure) {
        let log = Progress("the log: webhook", of: nil, on: context.console)
        let deliveries = Progress("deliveries:", of: nil, on: context.console)
        defer {
            log.end()
            deliveries.end()
        }

        try Failure.queue { () throws(QueueError) in
            try search.searchLog(progress: log)
            try search.searchDeliveries(progress: deliveries)
        }
    }

    private static func searchFiles(
        _ search: inout MessageSearch,
        _ location: QueueLocation,
        _ context: Context
    ) {
        let progress = Progress("objects:", of: nil, on: context.console)
        defer { progress.end() }

        do throws(LakeReadError) {
            let spool = DirectoryStore(root: location.spoolDirectory)
            search.searchSpool(spool, try spool.files())
        } catch {
            search.note("the spool: \(error.message)")
        }
        do throws(Failure) {
            search.searchLake(
                try LakePlace.store(context),
                objectsMax: context.arguments.number(limit) ?? limitDefault, progress: progress)
        } catch {
            search.note(error.lines.joined(separator: "; "))
        }
    }

    private static func report(
        _ search: MessageSearch,
        _ context: Context
    ) throws(Failure) -> Int32 {
        let report = MessageReport(search: search, now: context.now)
        let coverage = search.coverage
        if context.wantsJSON || search.isEmpty || context.console.reader == .program {
            for line in coverage.notLookedAt { context.console.remark("not looked at: \(line)") }
        }
        guard !search.isEmpty else {
            let id = search.needles.text
            let place = "the queue, or in \(coverage.lake) since \(coverage.since)"
            // Who asks whether a message is known must not be told no by a lake that is down.
            guard coverage.isComplete else {
                throw .failed("\(id) was not found, and not all of the lake could be looked at")
            }
            throw .notFound("nothing is known of \(id) in \(place)")
        }
        if context.wantsJSON {
            context.console.write(report.json)
            return ExitCode.ok
        }
        guard case .person(let colour) = context.console.reader else {
            context.console.write(report.table)
            return ExitCode.ok
        }
        context.console.write(
            report.summary.facts.aligned(colour: colour) + "\n"
                + report.table.aligned(colour: colour) + "\n"
                + coverage.facts.aligned(colour: colour))
        return ExitCode.ok
    }
}
