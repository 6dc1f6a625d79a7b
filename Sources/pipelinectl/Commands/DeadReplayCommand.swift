import Base
import Queue
import WhatsApp

/// The command `dead replay`.
enum DeadReplayCommand: Command {
    private static let raw = Flag(
        "raw", help: "send the bytes of unparseable letters to PHP as they are")

    static let specification = CommandSpecification(
        words: ["dead", "replay"],
        summary: "dead letters go to PHP again, with a new budget of attempts",
        operands: .init(usage: "[ID...]", count: 0...10_000),
        flags: DeadSelection.flags + [raw, Pace.flag, .dryRun],
        details: [
            "A replayed delivery keeps its id and its attempts, goes to the end of its "
                + "conversation, and carries X-Delivery-Replay. An unparseable letter is read "
                + "again by this release, and goes where its events belong; where it is still "
                + "unparseable it is left as it is, unless --raw sends its bytes.",
            DeadSelection.momentsParagraph,
        ],
        examples: [
            .init(line: "dead replay 12 13", meaning: "these two"),
            .init(
                line: "dead replay --status 500 --since 2h --dry-run",
                meaning: "how many would it be?"),
            .init(line: "dead replay --all --rate 20", meaning: "every dead letter, gently"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let selection = try Failure.usage { () throws(UsageError) in
            try DeadSelection.selection(arguments)
        }
        let session = try context.openQueue()
        var replay = DeadReplay(
            deadLetters: session.deadLetters, actor: context.actor,
            sendsRaw: arguments.has(raw), isDryRun: arguments.has(.dryRun), now: context.now,
            pace: try Pace.read(arguments, sliceCountMax: DeadWalk.pageCount))
        try Failure.queue { () throws(QueueError) in try replay.run(selection) }
        report(replay.outcome, of: selection, in: context)
        return replay.outcome.exitCode(of: selection)
    }

    private static func report(
        _ outcome: DeadReplay.Outcome,
        of selection: DeadSelection,
        in context: Context
    ) {
        context.write(outcome.json) { outcome.facts }
        for id in outcome.missing { context.console.remark("there is no dead letter \(id)") }
        for (id, reason) in outcome.unparseable {
            context.console.remark("\(id) is still unparseable: \(reason); --raw sends it as it is")
        }
    }
}

/// Sends dead letters again, each in the way that it needs.
struct DeadReplay {
    let deadLetters: DeadLetters
    let actor: Queue.Actor
    let sendsRaw: Bool
    let isDryRun: Bool
    let now: Timestamp
    let pace: Pace
    private(set) var outcome: Outcome

    /// Conversations and statuses do not matter here: only whether the body can be read.
    private let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])

    init(
        deadLetters: DeadLetters,
        actor: Queue.Actor,
        sendsRaw: Bool,
        isDryRun: Bool,
        now: Timestamp,
        pace: Pace
    ) {
        self.deadLetters = deadLetters
        self.actor = actor
        self.sendsRaw = sendsRaw
        self.isDryRun = isDryRun
        self.now = now
        self.pace = pace
        outcome = Outcome(isDryRun: isDryRun)
    }

    /// What became of the letters that were meant.
    struct Outcome {
        let isDryRun: Bool
        /// Deliveries that wait for PHP again, or would.
        var replayedCount = 0
        /// Letters that could be read now and stand in the log again, or would.
        var rereadCount = 0
        var unparseable: [(id: DeliveryID, reason: String)] = []
        var missing: [DeliveryID] = []

        /// Who names a letter wants to know that nothing came of it; who means a thousand does not.
        func exitCode(of selection: DeadSelection) -> Int32 {
            guard case .ids = selection else { return ExitCode.ok }
            if !missing.isEmpty { return ExitCode.notFound }
            return unparseable.isEmpty ? ExitCode.ok : ExitCode.failed
        }

        var json: JSONValue {
            [
                "dry_run": .bool(isDryRun),
                "replayed": .int(replayedCount),
                "reread": .int(rereadCount),
                "still_unparseable": .array(unparseable.map { .int(Int($0.id.rawValue)) }),
                "not_found": .array(missing.map { .int(Int($0.rawValue)) }),
            ]
        }

        var facts: Facts {
            var facts = Facts()
            facts.add(
                isDryRun ? "would replay" : "replayed",
                Humane.count(replayedCount, "dead letter"))
            if rereadCount > 0 {
                facts.add(isDryRun ? "would read again" : "read again", Humane.count(rereadCount))
            }
            if !unparseable.isEmpty {
                facts.add("still unparseable", Humane.count(unparseable.count), .warning)
            }
            return facts
        }
    }

    mutating func run(_ selection: DeadSelection) throws(QueueError) {
        switch selection {
        case .ids(let ids):
            for id in ids { try replayOne(id) }
        case .filter(let filter):
            var walk = try DeadWalk(filter, in: deadLetters)
            while let page = try walk.next() { try replay(page) }
        }
    }

    private mutating func replayOne(_ id: DeliveryID) throws(QueueError) {
        guard let (letter, body, _) = try deadLetters.show(id) else {
            outcome.missing.append(id)
            return
        }
        if needsReading(letter) { try readAgain(id, body) } else { try resend([id]) }
    }

    private mutating func replay(_ page: [DeadLetter]) throws(QueueError) {
        try resend(page.filter { !needsReading($0) }.map(\.id))
        for letter in page where needsReading(letter) {
            // It may have been replayed or discarded by somebody else since the page was read.
            guard let (_, body, _) = try deadLetters.show(letter.id) else { continue }
            try readAgain(letter.id, body)
        }
    }

    private func needsReading(_ letter: DeadLetter) -> Bool {
        letter.reason == DeadReason.unparseable(detail: "").name && !sendsRaw
    }

    private mutating func resend(_ ids: [DeliveryID]) throws(QueueError) {
        guard !isDryRun else {
            outcome.replayedCount += ids.count
            return
        }
        var rest = ids[...]
        while !rest.isEmpty {
            let slice = rest.prefix(pace.sliceCount)
            outcome.replayedCount += try deadLetters.replay(Array(slice), by: actor, now: now)
            rest = rest.dropFirst(slice.count)
            pace.wait(afterDoing: slice.count)
        }
    }

    private mutating func readAgain(_ id: DeliveryID, _ body: [UInt8]) throws(QueueError) {
        switch splitter.split(body) {
        case .unparseable(let reason):
            outcome.unparseable.append((id, reason.description))
        case .events:
            if isDryRun {
                outcome.rereadCount += 1
            } else if try deadLetters.appendAgain(id, by: actor, now: now) != nil {
                outcome.rereadCount += 1
                pace.wait(afterDoing: 1)
            }
        }
    }
}
