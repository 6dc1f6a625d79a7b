import Base
import Queue
import WhatsApp

/// Asks a queue, or a backup of one, everything there is to ask; see ``Examination``.
protocol Verification {
    var location: QueueLocation { get }
    /// What to do about damage.
    var adviceOnDamage: String { get }
    func faults(of examination: Examination) throws(QueueError) -> [String]
    func unshippedBatches(after last: BatchID?) throws(QueueError) -> [SealedBatch]
    func missingWebhookCount() throws(QueueError) -> Int
}

extension Verification {
    /// One finding for each question, in order.
    func findings() -> [Finding] {
        Examination.allCases.map { finding(of: $0) } + [spoolFinding()]
    }

    private func finding(of examination: Examination) -> Finding {
        let id = "queue.\(examination.rawValue)"
        do throws(QueueError) {
            var faults = try faults(of: examination)
            if examination == .log, let missing = try endFault() { faults.append(missing) }
            guard !faults.isEmpty else { return .ok(id, examination.isFine) }
            return .fail(
                id, faults.joined(separator: "; "), advice: advice(on: examination))
        } catch {
            return .fail(id, error.description, advice: adviceOnDamage)
        }
    }

    private func advice(on examination: Examination) -> String {
        switch examination {
        case .pages: adviceOnDamage
        case .books, .rows, .places, .log, .references:
            "keep a copy and the logs, and report it; " + adviceOnDamage
        }
    }

    /// What is missing at the end of the log leaves no gap: only the note beside it tells.
    private func endFault() throws(QueueError) -> String? {
        let count = try missingWebhookCount()
        guard count > 0 else { return nil }
        return "\(Humane.count(count, "acknowledged webhook")) missing at the end: was the WAL "
            + "removed or cut?"
    }

    /// Every spool file of a batch that the lake does not have yet.
    private func spoolFinding() -> Finding {
        let id = "queue.spool"
        var count = 0
        var bad: [String] = []
        do throws(QueueError) {
            var last: BatchID?
            while true {
                let batches = try unshippedBatches(after: last)
                guard let end = batches.last else { break }
                for batch in batches {
                    if let fault = fault(of: batch) { bad.append(fault) }
                }
                count += batches.count
                last = end.id
            }
        } catch {
            return .fail(id, error.description, advice: adviceOnDamage)
        }
        guard !bad.isEmpty else {
            return .ok(id, "\(Humane.count(count, "sealed batch", "sealed batches")), all whole")
        }
        return .fail(
            id, bad.prefix(20).joined(separator: "; "),
            advice: "find the file in a backup; its statuses are nowhere else once the log is "
                + "purged")
    }

    private func fault(of batch: SealedBatch) -> String? {
        let path = location.spoolPath(of: batch)
        do throws(SystemError) {
            switch try BatchFile.state(of: batch, at: path) {
            case .whole: return nil
            case .missing: return isStillUnshipped(batch) ? "\(path) is missing" : nil
            case .differs: return "\(path) differs from the hash it was sealed with"
            }
        } catch {
            return "\(error)"
        }
    }

    /// It may have been shipped since the list was read, and the file removed.
    private func isStillUnshipped(_ batch: SealedBatch) -> Bool {
        let before = batch.id.map { BatchID(rawValue: $0.rawValue - 1) }
        let batches = try? unshippedBatches(after: before)
        return batches?.first?.objectName == batch.objectName
    }
}

extension Examination {
    fileprivate var isFine: String {
        switch self {
        case .pages: "every page can be read, every index agrees"
        case .rows: "deliveries, bodies and attempts belong together"
        case .places: "every conversation has its order"
        case .books: "the books balance, and count what is there"
        case .log: "both consumers stand inside the log, nothing is missing before them"
        case .references: "keys and batches belong to webhooks that have been"
        }
    }
}

/// A queue that may be in use.
struct QueueVerification: Verification {
    let session: QueueSession

    var location: QueueLocation { session.location }
    var adviceOnDamage: String {
        "stop both programs, keep the files, then `pipelinectl salvage` or `pipelinectl restore`"
    }

    func faults(of examination: Examination) throws(QueueError) -> [String] {
        try session.faults(of: examination)
    }

    func unshippedBatches(after last: BatchID?) throws(QueueError) -> [SealedBatch] {
        try session.lake.unshippedBatches(after: last)
    }

    func missingWebhookCount() throws(QueueError) -> Int { try session.missingWebhookCount() }
}

/// A backup.
struct CopyVerification: Verification {
    let copy: QueueCopy

    var location: QueueLocation { copy.location }
    var adviceOnDamage: String { "use another backup; `pipelinectl salvage` reads what is left" }

    func faults(of examination: Examination) throws(QueueError) -> [String] {
        try copy.faults(of: examination)
    }

    func unshippedBatches(after last: BatchID?) throws(QueueError) -> [SealedBatch] {
        try copy.unshippedBatches(after: last)
    }

    /// A copy has no gate whose file would say.
    func missingWebhookCount() -> Int { 0 }
}
