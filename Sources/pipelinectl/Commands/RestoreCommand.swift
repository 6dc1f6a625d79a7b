import Base
import Queue

/// The command `restore`.
enum RestoreCommand: Command {
    static let specification = CommandSpecification(
        words: ["restore"],
        summary: "puts a backup in the place of a queue that is gone",
        operands: .init(usage: "BACKUP", count: 1...1),
        details: [
            "QUEUE_PATH must be free: stop both programs and move the old queue away first, "
                + "with its -wal. The backup is examined, copied, and stays as it is. The queue "
                + "takes a new id, so that names of lake objects and delivery ids made from now on "
                + "cannot be those of the queue that was lost.",
            "What happened after the backup was made happens again: messages go to PHP once more "
                + "under the same delivery ids, statuses stand in the lake once more under the "
                + "same event_key.",
        ],
        examples: [
            .init(
                line: "restore /var/backups/queue-2026-11-23.db", meaning: "then start the programs"
            )
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let target = QueueLocation(path: try context.settings { $0.string(.queuePath) })
        let path = context.arguments.operands[0]
        for taken in [target.path, target.walPath] where FileFacts.exists(taken) {
            throw .failed(
                "\(taken) is there: stop ingest and workers, and move the old queue away, "
                    + "its -wal and its .spool too")
        }
        try Failure.system { () throws(SystemError) in
            try DurableFile.makeDirectory(target.directory)
            try SystemUser.becomeOwner(of: QueueLocation(path: target.directory))
            try DurableFile.makeDirectory(target.spoolDirectory)
        }
        let copy = try Failure.queue { () throws(QueueError) in
            try QueueCopy(path: path, access: .read)
        }
        let findings = CopyVerification(copy: copy).findings()
        if let fault = findings.first(where: { $0.verdict == .fail }) {
            throw .failed("\(path): \(fault.text): see `pipelinectl verify \(path)`")
        }
        let batchCount = try restore(copy, to: target)
        let json: JSONValue = [
            "path": .string(target.path), "backup": .string(path), "batches": .int(batchCount),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add("restored", "\(target.path), from \(path)")
            facts.add("spool", Humane.count(batchCount, "batch", "batches"))
            facts.add("next", "start ingest and workers, then `pipelinectl check`")
            return facts
        }
        return ExitCode.ok
    }

    private static func restore(
        _ copy: QueueCopy,
        to target: QueueLocation
    ) throws(Failure) -> Int {
        let passing = try Failure.system { () throws(SystemError) in
            try PassingDatabase(for: target.path)
        }
        var count = 0
        try Failure.queue { () throws(QueueError) in
            try copy.copyDatabase(into: passing.path)
            // The first program that opens it takes it over.
            try QueueCopy(path: passing.path, access: .write).mark()
        }
        var last: BatchID?
        while true {
            let batches = try Failure.queue { () throws(QueueError) in
                try copy.unshippedBatches(after: last)
            }
            guard let end = batches.last else { break }
            for batch in batches { try self.copy(batch, from: copy.location, to: target) }
            count += batches.count
            last = end.id
        }
        try Failure.system { () throws(SystemError) in try passing.finish() }
        return count
    }

    private static func copy(
        _ batch: SealedBatch,
        from source: QueueLocation,
        to target: QueueLocation
    ) throws(Failure) {
        let state = try Failure.system { () throws(SystemError) in
            try BatchFile.copy(
                batch, from: source.spoolPath(of: batch), to: target.spoolPath(of: batch))
        }
        guard state == .whole else {
            throw .failed("\(source.spoolPath(of: batch)) changed while it was copied: try again")
        }
    }
}
