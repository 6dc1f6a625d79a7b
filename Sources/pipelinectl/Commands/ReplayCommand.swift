import Base
import Queue

/// The command `replay`.
enum ReplayCommand: Command {
    private static let since = Flag(
        "since", .moment, help: "accepted by PHP then or later (required)")
    private static let until = Flag(
        "until", .moment, help: "accepted by PHP before then (now unless told)")

    static let specification = CommandSpecification(
        words: ["replay"],
        summary: "what PHP accepted in a range of time, again",
        flags: [since, until, Pace.flag, .dryRun],
        details: [
            "For when PHP lost its database, or answered 200 and did nothing. The deliveries keep "
                + "their ids, carry X-Delivery-Replay, and go to the end of their conversations, "
                + "in the order in which they first arrived. Only those are there that were "
                + "accepted within RETAIN_DELIVERED.",
            "It may be stopped and given again, with a fixed --until: what waits again is not met "
                + "a second time. Without --until the second run meets what PHP accepted of the "
                + "first.",
            DeadSelection.momentsParagraph,
        ],
        examples: [
            .init(
                line: "replay --since 2026-11-23T20:00:00Z --until 2026-11-24T06:00:00Z --dry-run",
                meaning: "how many were accepted last night?"),
            .init(line: "replay --since 15m", meaning: "the last quarter of an hour"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let range = try range(context)
        let session = try context.openQueue()
        let total = try Failure.queue { () throws(QueueError) in
            try session.forward.deliveredCount(range)
        }
        let isDryRun = context.arguments.has(.dryRun)
        let count = isDryRun ? total : try replay(range, total: total, in: session, context)
        let json: JSONValue = [
            "dry_run": .bool(isDryRun),
            "since": .string(range.lowerBound.rfc3339),
            "until": .string(range.upperBound.rfc3339),
            "replayed": .int(count),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add(
                isDryRun ? "would replay" : "replayed",
                Humane.count(count, "delivery", "deliveries"))
            return facts
        }
        return ExitCode.ok
    }

    private static func range(_ context: Context) throws(Failure) -> Range<Timestamp> {
        let arguments = context.arguments
        guard let start = arguments.moment(since) else {
            throw .usage(arguments.mistake("since when? Say it with --since, 2h say"))
        }
        let end = min(arguments.moment(until) ?? context.now, context.now)
        guard start < end else {
            throw .usage(arguments.mistake("--since must be before --until, and in the past"))
        }
        return start..<end
    }

    private static func replay(
        _ range: Range<Timestamp>,
        total: Int,
        in session: QueueSession,
        _ context: Context
    ) throws(Failure) -> Int {
        let progress = Progress("replayed", of: total, on: context.console)
        defer { progress.end() }

        let pace = try Pace.read(context.arguments, sliceCountMax: ForwardBooks.replayCountMax)
        return try Failure.queue { () throws(QueueError) in
            var count = 0
            var cursor: DeliveryID? = DeliveryID.none
            while let position = cursor {
                let step = try session.forward.replayDelivered(
                    range, after: position, limit: pace.sliceCount, by: context.actor,
                    now: context.now)
                count += step.replayedCount
                cursor = step.next
                progress.show(count)
                pace.wait(afterDoing: step.replayedCount)
            }
            return count
        }
    }
}
