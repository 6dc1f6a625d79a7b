import Base
import Glibc
import Queue

/// The command `top`.
enum TopCommand: Command {
    private static let once = Flag("once", help: "one picture to standard output, and the end")
    private static let interval = Flag(
        "interval", .number(1...60), help: "seconds between two looks (2 unless told)")

    private static let intervalDefault = 2

    static let specification = CommandSpecification(
        words: ["top"],
        summary: "a live view: rates, lag, ages, breaker, WAL, disk",
        flags: [once, interval],
        details: [
            "Rates are those between two looks; an age is that of the oldest thing that waits. "
                + "q ends it, the space bar looks at once.",
            "With --once or --json it looks twice, an interval apart, and says what it saw: "
                + "for a pipe, or a mail.",
        ],
        examples: [
            .init(line: "top", meaning: "watch it work; q ends it"),
            .init(line: "top --once --interval 10", meaning: "the rates of ten seconds"),
            .init(line: "top --json | jq .rates.webhooks", meaning: "webhooks a second"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let isOnce = context.arguments.has(once) || context.wantsJSON
        guard isOnce || context.console.reader != .program else {
            throw .usage(context.arguments.mistake("there is no terminal here: add --once"))
        }
        let (location, ingest, workers) = try context.settings { reader in
            (
                QueueLocation(path: reader.string(.queuePath)),
                reader.listenAddress(.ingestAdminListen), reader.listenAddress(.workersAdminListen)
            )
        }
        let probe = TopProbe(
            session: try context.openQueue(location), ingestAdmin: ingest, workersAdmin: workers)
        let interval = Duration.seconds(
            context.arguments.number(interval) ?? intervalDefault)
        return isOnce
            ? try showOnce(probe, interval, context) : try showLive(probe, interval, context)
    }

    private static func showOnce(
        _ probe: TopProbe,
        _ interval: Duration,
        _ context: Context
    ) throws(Failure) -> Int32 {
        let first = try Failure.queue { () throws(QueueError) in try probe.sample() }
        let deadline = first.moment + interval
        while case let left = deadline - MonotonicClock.now(), left > .zero {
            poll(nil, 0, Int32(clamping: left.milliseconds + 1))
        }
        let second = try Failure.queue { () throws(QueueError) in try probe.sample() }
        let figures = TopFigures(second, since: first)
        guard !context.wantsJSON else {
            context.console.write(figures.json)
            return ExitCode.ok
        }
        let view = TopView(figures: figures, path: probe.session.location.path)
        let lines = view.lines(columns: .max, rows: .max, colour: isColoured(context))
        context.console.write(lines.map { $0 + "\n" }.joined())
        return ExitCode.ok
    }

    private static func showLive(
        _ probe: TopProbe,
        _ interval: Duration,
        _ context: Context
    ) throws(Failure) -> Int32 {
        // Whatever is wrong with the queue from the start is said without a screen around it.
        var sample = try Failure.queue { () throws(QueueError) in try probe.sample() }
        var figures = TopFigures(sample, since: nil)
        var trouble: String?
        let screen = try Failure.system { () throws(SystemError) in try LiveScreen() }
        while true {
            let due = MonotonicClock.now() + interval
            var isDue = false
            while !isDue {
                let size = screen.size
                let view = TopView(
                    figures: figures, path: probe.session.location.path, trouble: trouble)
                let lines = view.lines(
                    columns: size.columns, rows: size.rows, colour: isColoured(context))
                guard screen.show(lines) else { return ExitCode.ok }
                switch screen.wait(until: due) {
                case .ended, .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")): return ExitCode.ok
                case .due, .key(UInt8(ascii: " ")): isDue = true
                case .resized, .key: break
                }
            }
            do throws(QueueError) {
                let next = try probe.sample()
                figures = TopFigures(next, since: sample)
                sample = next
                trouble = nil
            } catch {
                trouble = error.description
            }
        }
    }

    private static func isColoured(_ context: Context) -> Bool {
        context.console.reader == .person(colour: true)
    }
}
