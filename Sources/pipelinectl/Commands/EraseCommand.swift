import Base
import Queue
import WhatsApp

/// The command `erase`.
enum EraseCommand: Command {
    private static let waID = Flag("wa-id", .text("N"), help: "the person's number, in digits")
    private static let userID = Flag(
        "user-id", .text("U"), help: "the person's business-scoped user id")

    /// Ids are short; what is longer is a mistake.
    private static let idByteCount = 4...128

    static let specification = CommandSpecification(
        words: ["erase"],
        summary: "removes one person from log, deliveries, dead letters, spool and a file lake",
        flags: [waID, userID, .dryRun],
        details: [
            "Event by event: a body that also holds other people's events is cut and signed anew, "
                + "so it needs WHATSAPP_APP_SECRET. Stop the workers first; ingest may go on. "
                + "Free pages are overwritten and the WAL is cut, so that no copy is left in the "
                + "queue's files. The audit keeps counts and not the number.",
            "Where LAKE_URL is a directory, this queue's objects in it are replaced by what is "
                + "left of them, under new names. Not reached: any other lake, objects of other "
                + "queues (they are named), backups, PHP, and what a file system or disk keeps of "
                + "what was overwritten. One person may have a number and a user id: run it for "
                + "both.",
        ],
        examples: [
            .init(line: "erase --wa-id 4915550000001 --dry-run", meaning: "how much would it be?"),
            .init(line: "erase --wa-id 4915550000001", meaning: "for good"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let person = try Failure.usage { () throws(UsageError) in
            try self.person(context.arguments)
        }
        let (location, secrets, lakeURL) = try context.settings { reader in
            (
                QueueLocation(path: reader.string(.queuePath)),
                reader.secretList(.whatsAppAppSecret).map(AppSecret.init),
                reader.string(.lakeURL)
            )
        }
        guard let secret = secrets.first else {
            throw .failed("WHATSAPP_APP_SECRET is needed to sign what is cut")
        }
        let session = try context.openQueue(location)
        let isDryRun = context.arguments.has(.dryRun)
        let locks = isDryRun ? [] : try takeLocks(location)
        defer { for lock in locks { lock.release() } }

        var erasure = PersonErasure(
            session: session, person: person, secret: secret, isDryRun: isDryRun, now: context.now)
        try Failure.queue { () throws(QueueError) in
            if !isDryRun { try session.overwriteWhatIsFreed() }
            try erasure.eraseLog()
            try erasure.eraseDeliveries()
        }
        try erasure.eraseSpool()
        if let root = LakeCheck.directory(of: lakeURL) { try erasure.eraseObjects(in: root) }
        try Failure.queue { () throws(QueueError) in
            try erasure.eraseTraces(by: context.actor)
        }
        write(erasure.report, lakeURL, isDryRun: isDryRun, context)
        return ExitCode.ok
    }

    private static func person(_ arguments: ParsedArguments) throws(UsageError) -> String {
        let given = [arguments.text(waID), arguments.text(userID)].compactMap(\.self)
        guard given.count == 1, let person = given.first else {
            throw arguments.mistake("whom? Say either --wa-id or --user-id")
        }
        let isPlain = person.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        }
        let isNumber = person.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isPlain, idByteCount.contains(person.utf8.count),
            isNumber || arguments.text(waID) == nil
        else {
            throw arguments.mistake("that is no id: a wa_id is digits only, without a plus sign")
        }
        return person
    }

    private static func takeLocks(_ location: QueueLocation) throws(Failure) -> [FileLock] {
        var locks: [FileLock] = []
        for path in [location.lakeLockPath, location.forwardLockPath] {
            let lock = try Failure.system { () throws(SystemError) in
                try FileLock.acquire(path: path)
            }
            guard let lock else {
                throw .failed("workers are running: stop them, and start them again afterwards")
            }
            locks.append(lock)
        }
        return locks
    }

    private static func write(
        _ report: PersonErasure.Report,
        _ lakeURL: String,
        isDryRun: Bool,
        _ context: Context
    ) {
        let isSearched = LakeCheck.directory(of: lakeURL) != nil
        let lake = report.notReached.map { JSONValue.string($0.path) }
        let json: JSONValue = [
            "dry_run": .bool(isDryRun), "webhooks": .int(report.webhookCount),
            "deliveries": .int(report.deliveryCount),
            "dead_letters": .int(report.deadLetterCount),
            "batches": .int(report.batchCount), "objects": .int(report.objectCount),
            "statuses": .int(report.statusCount),
            "events": .int(report.eventCount), "not_reached": .array(lake),
            "lake_searched": .bool(isSearched),
        ]
        context.write(json) {
            var facts = Facts()
            let verb = isDryRun ? "would erase" : "erased"
            facts.add(
                verb,
                [
                    Humane.count(report.webhookCount, "webhook"),
                    Humane.count(report.deliveryCount, "delivery", "deliveries"),
                    Humane.count(report.deadLetterCount, "dead letter"),
                    Humane.count(report.batchCount, "sealed batch", "sealed batches"),
                    Humane.count(report.objectCount, "object"),
                ].joined(separator: ", "))
            for object in report.notReached {
                facts.add(
                    "not reached",
                    "\(object.path), \(Humane.count(object.lineCount, "line"))", .warning)
            }
            return facts
        }
        if !isSearched { context.console.remark("not searched: the lake \(lakeURL)") }
        context.console.remark("not reached: backups, and what PHP keeps")
    }
}
