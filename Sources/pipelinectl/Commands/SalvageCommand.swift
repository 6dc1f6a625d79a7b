import Base
import Glibc
import Queue

/// The command `salvage`.
enum SalvageCommand: Command {
    static let specification = CommandSpecification(
        words: ["salvage"],
        summary: "saves what can be read of a damaged queue into a new one",
        operands: .init(usage: "OLD NEW", count: 2...2),
        details: [
            "Works on a copy, beside NEW, and leaves OLD as it is: keep it, with its -wal and its "
                + ".spool. Stop ingest and workers first. Reads row by row and steps over what is "
                + "damaged, then page by page, also behind damage in the WAL. Needs as much free "
                + "space as two copies of OLD.",
            "NEW is a queue with an id of its own. What cannot be said to have been done is done "
                + "again: messages may reach PHP twice under one delivery id. What is lost is "
                + "said, as ranges of ids.",
        ],
        examples: [
            .init(
                line: "salvage queue.db saved.db",
                meaning: "then `verify` with QUEUE_PATH=saved.db, and move it into place")
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let old = QueueLocation(path: context.arguments.operands[0])
        let new = QueueLocation(path: context.arguments.operands[1])
        try refuseUnlessFree(old, new)
        let work = new.path + ".salvage"
        defer { removeWork(work) }

        let refused = try copyAway(old, to: work)
        let gate = try Failure.queue { () throws(QueueError) in
            try QueueSession.openGate(new, as: .ingest)
        }
        let session = try Failure.queue { () throws(QueueError) in
            try QueueSession.open(new, gate: gate, as: .ingest)
        }
        let (report, lostBatches) = try save(copy(in: work), from: old, into: session, context)
        write(report, lostBatches: lostBatches, refused: refused, new, context)
        return ExitCode.ok
    }

    private static func refuseUnlessFree(
        _ old: QueueLocation,
        _ new: QueueLocation
    ) throws(Failure) {
        guard FileFacts.exists(old.path) else { throw .notFound("there is no file at \(old.path)") }
        for taken in [new.path, new.walPath, new.path + ".salvage"]
        where FileFacts.exists(taken) {
            throw .failed("\(taken) is there: give NEW a name that is free")
        }
        for path in [old.lakeLockPath, old.forwardLockPath] where FileFacts.exists(path) {
            let lock = try Failure.system { () throws(SystemError) in
                try FileLock.acquire(path: path)
            }
            guard lock != nil else {
                throw .failed("workers are running on \(old.path): stop them and ingest first")
            }
        }
    }

    private static func copy(in work: String) -> String { work + "/queue.db" }

    private static func copyAway(
        _ old: QueueLocation,
        to work: String
    ) throws(Failure) -> [Range<Int>] {
        try Failure.system { () throws(SystemError) in
            try DurableFile.makeDirectory(work)
            var refused = try DamagedFile.copy(old.path, to: copy(in: work))
            if FileFacts.exists(old.walPath) {
                refused += try DamagedFile.copy(old.walPath, to: copy(in: work) + "-wal")
                // SQLite may change its own while it recovers; the pages are read from this one.
                _ = try DamagedFile.copy(old.walPath, to: work + "/pages.db-wal")
            }
            _ = try DamagedFile.copy(old.path, to: work + "/pages.db")
            return refused
        }
    }

    private static func save(
        _ copy: String,
        from old: QueueLocation,
        into session: QueueSession,
        _ context: Context
    ) throws(Failure) -> (SalvageReport, [SealedBatch]) {
        let pages = DurableFile.parent(of: copy) + "/pages.db"
        let (salvage, report) = try Failure.queue { () throws(QueueError) in
            let salvage = try Salvage(copyAt: copy, target: session, original: old)
            try salvage.saveRows()
            try salvage.savePages(ofCopyAt: pages)
            return (salvage, try salvage.finish(by: context.actor, now: context.now))
        }
        var lost: [SealedBatch] = []
        var last: BatchID?
        while true {
            let batches = try Failure.queue { () throws(QueueError) in
                try session.lake.unshippedBatches(after: last)
            }
            guard let end = batches.last else { break }
            for batch in batches {
                guard try saveSpool(batch, from: old, to: session.location) else {
                    lost.append(batch)
                    try Failure.queue { () throws(QueueError) in try salvage.drop(batch) }
                    continue
                }
            }
            last = end.id
        }
        _ = try Failure.queue { () throws(QueueError) in try session.checkpoint(.truncate) }
        return (report, lost)
    }

    private static func saveSpool(
        _ batch: SealedBatch,
        from old: QueueLocation,
        to new: QueueLocation
    ) throws(Failure) -> Bool {
        let source = old.spoolPath(of: batch)
        do throws(SystemError) {
            return try BatchFile.copy(batch, from: source, to: new.spoolPath(of: batch)) == .whole
        } catch {
            guard error.code == EIO else { throw .failed("\(error)") }
            return false
        }
    }

    private static func removeWork(_ work: String) {
        for name in ["queue.db", "pages.db"] {
            for suffix in ["", "-wal", "-shm"] { unlink("\(work)/\(name)\(suffix)") }
        }
        rmdir(work)
    }

    private static func write(
        _ report: SalvageReport,
        lostBatches: [SealedBatch],
        refused: [Range<Int>],
        _ new: QueueLocation,
        _ context: Context
    ) {
        let json: JSONValue = [
            "path": .string(new.path),
            "unreadable_bytes": .array(
                refused.map { .string("\($0.lowerBound)-\($0.upperBound - 1)") }),
            "lost_webhooks": .array(report.lostWebhooks.map { .string(text($0)) }),
            "lost_deliveries": .int(report.lostDeliveries),
            "lost_batches": .array(lostBatches.map { .string($0.objectName) }),
            "tables": .array(report.tables.map(json(of:))),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add("saved", new.path)
            for table in report.tables {
                facts.add(
                    table.name, words(on: table), table.isIncomplete ? .warning : .ordinary)
            }
            let webhooks = report.lostWebhooks.map(text).joined(separator: ", ")
            facts.add(
                "lost webhooks", webhooks.isEmpty ? "none that were not read" : webhooks,
                webhooks.isEmpty ? .good : .bad)
            facts.add(
                "lost deliveries", Humane.count(report.lostDeliveries),
                report.lostDeliveries == 0 ? .good : .bad)
            for batch in lostBatches {
                facts.add(
                    "lost batch",
                    "\(batch.objectName), \(Humane.count(batch.lineCount, "status", "statuses"))",
                    .bad)
            }
            facts.add("next", "QUEUE_PATH=\(new.path) pipelinectl verify")
            return facts
        }
    }

    private static func json(of table: SalvagedTable) -> JSONValue {
        [
            "id": .string(table.name), "rows": .int(table.rowCount),
            "incomplete": .bool(table.isIncomplete),
            "lost": .array(table.lost.map { .string(text($0)) }),
        ]
    }

    private static func words(on table: SalvagedTable) -> String {
        let rows = Humane.count(table.rowCount, "row")
        guard table.isIncomplete else { return rows }
        let ranges = table.lost.map(text).joined(separator: ", ")
        return rows + ", damaged" + (ranges.isEmpty ? "" : " where ids \(ranges) would be")
    }

    private static func text(_ range: ClosedRange<Int64>) -> String {
        range.lowerBound == range.upperBound
            ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}
