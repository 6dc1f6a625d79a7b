import Base
import Queue

/// The command `dead import`.
enum DeadImportCommand: Command {
    static let specification = CommandSpecification(
        words: ["dead", "import"],
        summary: "takes in dead letters that `dead export` wrote",
        operands: .init(usage: "FILE", count: 1...1),
        flags: [.dryRun],
        details: [
            "The whole file is looked at first: where a line is wrong nothing is taken in. Letters "
                + "get ids of this queue, and keep their delivery ids, attempts and bodies. One "
                + "that is a dead letter here already is passed over, so that a file can be "
                + "imported twice."
        ],
        examples: [
            .init(line: "dead import letters.ndjson --dry-run", meaning: "what would it bring?"),
            .init(line: "dead import letters.ndjson", meaning: "then `dead replay` them"),
        ]
    )

    /// Longest line: a body of 4 MiB in which every byte is escaped, and some.
    private static let lineBytesMax = 32 * 1_048_576

    static func run(in context: Context) throws(Failure) -> Int32 {
        let path = context.arguments.operands[0]
        let session = try context.openQueue()
        let total = try checkAll(path)
        let progress = Progress("imported", of: total, on: context.console)
        defer { progress.end() }

        var taker = try DeadTaker(
            deadLetters: session.deadLetters, actor: context.actor, now: context.now,
            isDryRun: context.arguments.has(.dryRun))
        try forEachLetter(path) { (copy) throws(Failure) in
            try Failure.queue { () throws(QueueError) in try taker.take(copy) }
            progress.show(taker.importedCount)
        }
        try Failure.queue { () throws(QueueError) in try taker.flush() }
        let json: JSONValue = [
            "dry_run": .bool(taker.isDryRun),
            "imported": .int(taker.importedCount),
            "already_here": .int(taker.knownCount),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add(
                taker.isDryRun ? "would import" : "imported",
                Humane.count(taker.importedCount, "dead letter"))
            if taker.knownCount > 0 {
                facts.add("already here", Humane.count(taker.knownCount))
            }
            return facts
        }
        return ExitCode.ok
    }

    private static func checkAll(_ path: String) throws(Failure) -> Int {
        var count = 0
        try forEachLetter(path) { _ in count += 1 }
        return count
    }

    private static func forEachLetter(
        _ path: String,
        _ body: (DeadLetterCopy) throws(Failure) -> Void
    ) throws(Failure) {
        let reader = try Failure.system { () throws(SystemError) in
            try LineReader(path, lineBytesMax: lineBytesMax)
        }
        var number = 0
        while let line = try Failure.system({ () throws(SystemError) in try reader.next() }) {
            number += 1
            guard !line.isEmpty else { continue }
            let copy: DeadLetterCopy
            do throws(DeadLetterReader.Mistake) {
                copy = try DeadLetterReader.read(line)
            } catch {
                throw .failed("\(path):\(number): \(error.text); nothing was imported")
            }
            try body(copy)
        }
    }
}

/// Takes in copies of dead letters, a transaction at a time, each once.
struct DeadTaker {
    let isDryRun: Bool
    private(set) var importedCount = 0
    private(set) var knownCount = 0
    private let deadLetters: DeadLetters
    private let actor: Queue.Actor
    private let now: Timestamp
    private var knownKeys: Set<String> = []
    private var pending: [DeadLetterCopy] = []
    private var pendingByteCount = 0

    /// Of one transaction: whichever comes first.
    private static let pendingCountMax = 100
    private static let pendingByteCountMax = 1_048_576
    /// Beyond so many dead letters, a hundred megabytes of keys, a queue needs other help.
    private static let knownCountMax = 1_000_000

    /// Learns what is there already.
    init(
        deadLetters: DeadLetters,
        actor: Queue.Actor,
        now: Timestamp,
        isDryRun: Bool
    ) throws(Failure) {
        self.deadLetters = deadLetters
        self.actor = actor
        self.now = now
        self.isDryRun = isDryRun
        var after = DeliveryID.none
        while true {
            let page = try Failure.queue { () throws(QueueError) in
                try deadLetters.keys(after: after, limit: 1_000)
            }
            guard let last = page.last else { return }
            after = last.id
            knownKeys.formUnion(page.map(\.key))
            guard knownKeys.count <= Self.knownCountMax else {
                throw .failed("there are more than a million dead letters: replay or discard some")
            }
        }
    }

    mutating func take(_ copy: DeadLetterCopy) throws(QueueError) {
        guard knownKeys.insert(copy.envelope.key).inserted else {
            knownCount += 1
            return
        }
        pending.append(copy)
        pendingByteCount += copy.body.count
        if pending.count >= Self.pendingCountMax || pendingByteCount >= Self.pendingByteCountMax {
            try flush()
        }
    }

    /// Stores what is not stored yet.
    mutating func flush() throws(QueueError) {
        if !isDryRun, !pending.isEmpty { try deadLetters.takeIn(pending, by: actor, now: now) }
        importedCount += pending.count
        pending = []
        pendingByteCount = 0
    }
}
