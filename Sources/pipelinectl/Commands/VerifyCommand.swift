import Base
import Queue
import WhatsApp

/// The command `verify`.
enum VerifyCommand: Command {
    static let specification = CommandSpecification(
        words: ["verify"],
        summary: "is every byte of the queue, or of a backup, what it should be?",
        operands: .init(usage: "[BACKUP]", count: 0...1),
        details: [
            "Reads all of it: pages and indexes, rows that belong together, whose turn it is, the "
                + "books, the cursors, the spool files against their hashes and, where "
                + "WHATSAPP_APP_SECRET is set, the bodies in the log against their signatures. "
                + "Everything goes on meanwhile, but the WAL cannot be restarted, so it grows.",
            "Leaves with 1 when anything is wrong. `check` looks at the installation around it.",
        ],
        examples: [
            .init(line: "verify", meaning: "after a crash of the machine, or a disk error"),
            .init(line: "verify /var/backups/queue.db", meaning: "could this be restored?"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let findings: [Finding]
        if let path = context.arguments.operands.first {
            let copy = try Failure.queue { () throws(QueueError) in
                try QueueCopy(path: path, access: .read)
            }
            findings = CopyVerification(copy: copy).findings()
        } else {
            findings = try queueFindings(context)
        }
        return FindingReport(findings).write(in: context)
    }

    private static func queueFindings(_ context: Context) throws(Failure) -> [Finding] {
        let (location, secrets) = try context.settings { reader in
            (
                QueueLocation(path: reader.string(.queuePath)),
                // Whoever verifies need not know the secrets.
                reader.optionalString(.whatsAppAppSecret) == nil
                    ? [] : reader.secretList(.whatsAppAppSecret).map(AppSecret.init)
            )
        }
        let session = try context.openQueue(location)
        let before = session.walByteCount
        var findings = QueueVerification(session: session).findings()
        findings.append(try bodiesFinding(session, secrets, context))
        findings.append(try walFinding(session, before: before))
        return findings
    }

    /// Looked at while nobody writes only where it seems broken: it takes a moment.
    private static func walFinding(
        _ session: QueueSession,
        before: Int
    ) throws(Failure) -> Finding {
        let id = "queue.wal"
        return try Failure.queue { () throws(QueueError) in
            var inspection = try WALInspection.run(session.location)
            if inspection.isBroken { inspection = try session.inspectWALHoldingGate() }
            let copies = WALInspection.copies(of: session.location)
            if inspection.isBroken {
                return .fail(
                    id, "\(Humane.count(inspection.unreadCommitCount, "commit")) behind damage",
                    advice: "stop both programs, keep all files, then `pipelinectl salvage`; after "
                        + "a power cut they may be what nobody had synced yet")
            }
            guard copies.isEmpty else {
                return .warn(
                    id, "kept since commits could not be read: \(copies.joined(separator: ", "))",
                    advice: "compare with what `pipelinectl salvage` finds in it, then remove it")
            }
            return .ok(
                id, "\(Humane.size(before)) before, \(Humane.size(session.walByteCount)) after")
        }
    }

    private static func bodiesFinding(
        _ session: QueueSession,
        _ secrets: [AppSecret],
        _ context: Context
    ) throws(Failure) -> Finding {
        guard !secrets.isEmpty else {
            return .ok("queue.bodies", "not compared: WHATSAPP_APP_SECRET is not set here")
        }
        let progress = Progress("compared", of: nil, on: context.console)
        defer { progress.end() }

        return try Failure.queue { () throws(QueueError) in
            var check = SignatureCheck(session: session, secrets: secrets)
            return try check.finding(progress: progress)
        }
    }
}
