import Base
import Glibc
import Queue

/// Looks at the database: the library, the gate, the schema, the books.
struct DatabaseCheck {
    let location: QueueLocation

    /// Longest that another program may hold the gate before that is worth a word.
    private static let gateWaitMax = Duration.seconds(2)

    func findings() -> [Finding] {
        guard FileFacts.exists(location.path) else { return [libraryFinding(isGated: true)] }
        do throws(QueueError) {
            let gate = try QueueSession.openGate(location, as: .tool)
            let isGated = Self.passes(gate)
            let session = try QueueSession.open(location, gate: gate, as: .tool)
            let statistics = try session.statistics()
            return [
                libraryFinding(isGated: isGated), gateFinding(isGated),
                .ok(
                    "queue.schema",
                    "schema \(statistics.schemaVersion), queue id \(statistics.queueID)"),
                booksFinding(statistics),
            ] + pileFindings(statistics)
        } catch {
            // The description says what to do behind its last colon.
            let words = error.description
            return [
                .fail("queue.schema", words, advice: "nothing was changed; the line above says it")
            ]
        }
    }

    /// When the oldest webhook that a consumer has still to read was received, where there is one.
    func oldestReceivedAt() -> Timestamp? {
        guard FileFacts.exists(location.path) else { return nil }
        do throws(QueueError) {
            let gate = try QueueSession.openGate(location, as: .tool)
            let session = try QueueSession.open(location, gate: gate, as: .tool)
            let statistics = try session.statistics()
            return statistics.lake.oldestReceivedAt ?? statistics.forward.oldestReceivedAt
        } catch {
            return nil
        }
    }

    private static func passes(_ gate: Gate) -> Bool {
        let deadline = MonotonicClock.now() + gateWaitMax
        while !gate.tryLock() {
            guard MonotonicClock.now() < deadline else { return false }
            poll(nil, 0, 10)
        }
        gate.unlock()
        return true
    }

    private func libraryFinding(isGated: Bool) -> Finding {
        let version = SQLiteLibrary.version
        let id = "sqlite.version"
        guard version.hasWALResetBug else { return .ok(id, "SQLite \(version)") }
        let text = "SQLite \(version) has the WAL-reset bug"
        guard isGated else {
            return .warn(id, text, advice: "see queue.gate; install SQLite 3.51.3 or later")
        }
        return .ok(id, text + ", which the gate rules out: no sqlite3 shell on this queue")
    }

    private func gateFinding(_ isGated: Bool) -> Finding {
        let id = "queue.gate"
        if isGated { return .ok(id, "free") }
        return .warn(
            id, "held by another program for more than \(Humane.duration(Self.gateWaitMax))",
            advice: "find it with `fuser \(location.gatePath)`; a stopped program must be ended")
    }

    private func booksFinding(_ statistics: QueueStatistics) -> Finding {
        let id = "queue.books"
        let books = statistics.books
        if books.balances { return .ok(id, "the books balance: nothing is unaccounted for") }
        return .fail(
            id,
            "the books do not balance: "
                + books.differences.map(\.description).joined(separator: ", "),
            advice: "keep a copy of the queue and the logs, and report it with `status --json`")
    }

    private func pileFindings(_ statistics: QueueStatistics) -> [Finding] {
        let deadCount = statistics.count(.deadLetters)
        guard deadCount > 0 else { return [.ok("queue.dead_letters", "none")] }
        return [
            .warn(
                "queue.dead_letters", Humane.count(deadCount, "dead letter"),
                advice: "`pipelinectl dead list`, then replay or discard them")
        ]
    }
}
