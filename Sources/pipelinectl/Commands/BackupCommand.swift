import Base
import Queue

/// The command `backup`.
enum BackupCommand: Command {
    static let specification = CommandSpecification(
        words: ["backup"],
        summary: "a consistent copy of the queue, while everything goes on",
        operands: .init(usage: "PATH", count: 1...1),
        details: [
            "PATH becomes a database, PATH.spool holds the batches that are sealed and not "
                + "shipped. Both are closed to other users and on disk when this ends; nothing is "
                + "replaced. The WAL cannot be restarted meanwhile: it grows by what arrives, and "
                + "how far is said.",
            "A copy by any other means may miss what stands in the WAL. To go back to a backup, "
                + "see `restore`.",
        ],
        examples: [
            .init(
                line: "backup /var/backups/queue-$(date +%F).db", meaning: "every night, from cron")
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let target = QueueLocation(path: context.arguments.operands[0])
        let session = try context.openQueue()
        let report = try Backup(session: session, target: target).run()
        let json: JSONValue = [
            "path": .string(target.path),
            "bytes": .int(report.byteCount),
            "batches": .int(report.batchCount),
            "duration_ms": .int(Int(report.duration.milliseconds)),
            "wal_bytes_before": .int(report.walByteCount.before),
            "wal_bytes_after": .int(report.walByteCount.after),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add("backup", "\(target.path), \(Humane.size(report.byteCount))")
            facts.add("spool", Humane.count(report.batchCount, "batch", "batches"))
            facts.add(
                "WAL",
                "held for \(Humane.duration(report.duration)), "
                    + "\(Humane.size(report.walByteCount.before)) before and "
                    + "\(Humane.size(report.walByteCount.after)) after")
            return facts
        }
        return ExitCode.ok
    }
}
