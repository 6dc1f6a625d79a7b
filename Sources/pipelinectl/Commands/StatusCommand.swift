import Base
import Queue

/// The command `status`.
enum StatusCommand: Command {
    static let specification = CommandSpecification(
        words: ["status"],
        summary: "the log, both consumers, deliveries, dead letters, sizes",
        details: [
            "In a pipe: one line for each value, its path, a tab, the value. Times are RFC 3339, "
                + "sizes bytes, lags webhooks."
        ],
        examples: [
            .init(line: "status", meaning: "is anything behind, and since when?"),
            .init(
                line: "status --json | jq .dead_letters.count", meaning: "one number for a script"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let (location, admin) = try context.settings { reader in
            (
                QueueLocation(path: reader.string(.queuePath)),
                reader.listenAddress(.workersAdminListen)
            )
        }
        let session = try context.openQueue(location)
        let report = StatusReport(
            location: location,
            statistics: try Failure.queue { () throws(QueueError) in try session.statistics() },
            walByteCount: session.walByteCount,
            diskFreeByteCount: FileFacts.freeByteCount(at: location.directory),
            breaker: BreakerState.ask(admin),
            now: context.now
        )
        context.write(report.json) { report.facts }
        return ExitCode.ok
    }
}
