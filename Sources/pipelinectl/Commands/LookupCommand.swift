import Base
import Queue

/// The command `lookup`.
enum LookupCommand: Command {
    private static let since = Flag(
        "since", .moment, help: "how far back the lake is searched (8d unless told)")

    private static let sinceDefault = Duration.seconds(8 * 86_400)

    static let specification = CommandSpecification(
        words: ["lookup"],
        summary: "all that is known of one message, its statuses included",
        operands: .init(usage: "WAMID", count: 1...1),
        flags: [since],
        details: [
            "Searches the log, the deliveries that are kept, what is sealed and not shipped, and "
                + "the lake where it is a directory: every object of those days is read.",
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
        var search = MessageSearch(session: session, needles: needles)
        try searchQueue(&search, context)
        searchFiles(&search, location, lakeURL, context)
        let report = MessageReport(search: search, now: context.now)
        for path in search.unreadable { context.console.remark("could not be read: \(path)") }
        guard !search.isEmpty else {
            throw .notFound("nothing is known of \(needles.text)")
        }
        context.write(report.table, json: report.json)
        return ExitCode.ok
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
        _ lakeURL: String,
        _ context: Context
    ) {
        var paths = LakeFiles.spooled(in: location.spoolDirectory)
        if let root = LakeCheck.directory(of: lakeURL) {
            let since = context.arguments.moment(since) ?? context.now - sinceDefault
            paths += LakeFiles.objects(in: root, since: since)
        } else {
            context.console.remark("the lake is no directory here: search \(lakeURL) itself")
        }
        let progress = Progress("objects:", of: paths.count, on: context.console)
        defer { progress.end() }

        search.search(paths, progress: progress)
    }
}
