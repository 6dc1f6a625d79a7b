import Base
import Queue

/// The picture that `top` shows: lines of at most a screen's width and height.
///
/// Pure: figures in, text out. Everything fits 80 columns and 24 rows; a smaller screen loses the
/// end of lines, and the last lines.
struct TopView: Sendable {
    let figures: TopFigures
    /// What the queue is called, as the settings say.
    let path: String
    /// What went wrong when the last sample was to be taken; its figures are then older.
    var trouble: String?

    private typealias Row = (name: String, pieces: [(text: String, tone: Tone)])

    /// The lines for a screen, each ended by no line break.
    func lines(columns: Int, rows: Int, colour: Bool) -> [String] {
        let lines = [heading] + [("", [])] + body + (trouble.map { [("", [($0, .bad)])] } ?? [])
        return lines.prefix(max(1, rows)).map { row in
            Self.text(row, columns: max(1, columns), colour: colour)
        }
    }

    private static let nameWidth = 10

    /// Cut at the width before it is painted, so that a colour is never cut in two.
    private static func text(_ row: Row, columns: Int, colour: Bool) -> String {
        var left = columns
        var text = ""
        let gap = String(repeating: " ", count: max(0, nameWidth - row.name.count))
        let name = row.pieces.isEmpty ? [] : [(row.name + gap, Tone.faint)]
        for (piece, tone) in name + row.pieces {
            let shown = String(HostileText.line(piece).prefix(left))
            left -= shown.count
            text += tone.painted(shown, colour: colour)
        }
        return text
    }

    private var heading: Row {
        let time = figures.sample.now.rfc3339.prefix(19).map { $0 == "T" ? " " : $0 }
        return (
            "top", [("\(String(time)) UTC  ", .strong), (path, .ordinary)]
        )
    }

    private var statistics: QueueStatistics { figures.sample.statistics }

    private var body: [Row] {
        ingest + [("", [])] + queue + [("", [])] + lake + [("", [])] + forward + [("", [])] + ends
    }

    private var ingest: [Row] {
        let ready = Self.readiness(figures.isReady(figures.sample.ingest, "ingest"))
        return [
            (
                "ingest",
                [
                    ready, (Self.rate(figures.webhookRate, "webhooks"), .strong),
                    (bytes(figures.webhookByteRate), .ordinary),
                    Self.bad(figures.refusalRate, "refused"),
                ]
            ),
            ("", [("acknowledged in " + Self.text(figures.acknowledgement), .ordinary)]),
        ]
    }

    private var queue: [Row] {
        [
            (
                "queue",
                [
                    (
                        Humane.count(Int(statistics.lastID.rawValue)) + " webhooks so far, "
                            + Humane.count(statistics.storedCount) + " kept", .ordinary
                    ),
                    statistics.balances
                        ? (", books balance", .ordinary) : (", BOOKS DO NOT BALANCE", .bad),
                ]
            ),
            (
                "gate",
                [
                    ("held by ingest " + Self.text(figures.ingestGateHold), .ordinary),
                    (", by workers " + Self.text(figures.workersGateHold), .ordinary),
                ]
            ),
            (
                "sizes",
                [
                    (
                        "database \(Humane.size(statistics.usedByteCount)) of "
                            + Humane.size(statistics.pageCount * statistics.pageByteCount)
                            + ", WAL \(Humane.size(figures.sample.walByteCount))"
                            + ", spool \(Humane.size(figures.sample.spoolByteCount)), disk "
                            + (figures.sample.diskFreeByteCount.map(Humane.size) ?? "?") + " free",
                        .ordinary
                    )
                ]
            ),
        ]
    }

    private var lake: [Row] {
        [
            (
                "lake",
                [
                    (Self.rate(figures.statusRate, "statuses"), .strong),
                    lag(statistics.lake),
                ]
            ),
            (
                "",
                [
                    waiting(
                        statistics.unshippedLineCount, "statuses not shipped",
                        since: statistics.oldestUnshippedAt),
                    Self.alarm(figures.sample.workers?.value("workers_lake_alarms")),
                ]
            ),
        ]
    }

    private var forward: [Row] {
        let workers = figures.sample.workers
        let underWay = workers?.value("workers_forward_in_flight_requests")
        let limit = workers?.value("workers_forward_concurrency_limit")
        let state =
            figures.breaker.map(BreakerState.known) ?? .unknown(why: "workers not reachable")
        return [
            (
                "workers",
                [Self.readiness(figures.isReady(workers, "workers"))]
            ),
            (
                "forward",
                [
                    (Self.rate(figures.deliveryRate, "events"), .strong),
                    lag(statistics.forward),
                    Self.bad(figures.failedAttemptRate, "attempts failed"),
                ]
            ),
            (
                "",
                [
                    waiting(
                        statistics.count(.waitingDeliveries), "deliveries wait",
                        since: statistics.oldestWaitingAt),
                    (", \(Humane.count(statistics.retryingCount)) failed before", .ordinary),
                ]
            ),
            (
                "",
                [
                    ("PHP answers in " + Self.text(figures.attempt), .ordinary),
                    (", \(Self.count(underWay)) of \(Self.count(limit)) under way", .ordinary),
                ]
            ),
            ("breaker", [state.words]),
        ]
    }

    private var ends: [Row] {
        let count = statistics.count(.deadLetters)
        let reasons = statistics.deadByReason.sorted { $0.key < $1.key }
            .map { "\($0.key) \(Humane.count($0.value.count))" }.joined(separator: ", ")
        let text =
            count == 0
            ? "none" : "\(Humane.count(count)) (\(reasons)): pipelinectl dead list"
        return [("dead", [(text, count == 0 ? .good : .bad)])]
    }

    // MARK: Words

    private static func readiness(_ isReady: Bool?) -> (text: String, tone: Tone) {
        switch isReady {
        case .some(true): ("ready  ", .good)
        case .some(false): ("NOT READY, see /readyz  ", .bad)
        case .none: ("not reachable  ", .bad)
        }
    }

    static func rate(_ rate: Double?, _ what: String) -> String {
        guard let rate else { return "- \(what)/s" }
        let text =
            rate < 10 && rate > 0
            ? String(Double(Int(rate * 10 + 0.5)) / 10) : Humane.count(Int(rate.rounded()))
        return "\(text) \(what)/s"
    }

    private func bytes(_ rate: Double?) -> String {
        rate.map { ", \(Humane.size(Int($0)))/s" } ?? ""
    }

    private static func bad(_ number: Double?, _ what: String) -> (text: String, tone: Tone) {
        guard let number, number > 0 else { return ("", .ordinary) }
        return (", " + rate(number, what), .bad)
    }

    private static func alarm(_ count: Double?) -> (text: String, tone: Tone) {
        guard let count, count > 0 else { return ("", .ordinary) }
        return (", \(Humane.count(Int(count), "object")) need a person: see the log", .bad)
    }

    private static func text(_ quantiles: TopFigures.Quantiles?) -> String {
        guard let quantiles else { return "-" }
        return "\(milliseconds(quantiles.half)), 99 % in \(milliseconds(quantiles.most))"
    }

    private static func milliseconds(_ seconds: Double) -> String {
        seconds < 0.01
            ? "\(Double(Int(seconds * 10_000 + 0.5)) / 10) ms"
            : Humane.duration(.milliseconds(Int64((seconds * 1_000).rounded())))
    }

    private static func count(_ number: Double?) -> String {
        number.map { Humane.count(Int($0)) } ?? "-"
    }

    private func lag(_ consumer: QueueStatistics.ConsumerState) -> (text: String, tone: Tone) {
        guard consumer.lag > 0 else { return (", up to date", .ordinary) }
        let (text, tone) = waiting(
            consumer.lag, consumer.lag == 1 ? "webhook behind" : "webhooks behind",
            since: consumer.oldestReceivedAt)
        return (", " + text, tone)
    }

    /// Longer than this deserves a colour.
    private static let ageUnsuspicious = Duration.seconds(120)

    private func waiting(
        _ count: Int,
        _ what: String,
        since moment: Timestamp?
    ) -> (text: String, tone: Tone) {
        let text = "\(Humane.count(count)) \(what)"
        guard count > 0, let moment else { return (text, .ordinary) }
        let now = figures.sample.now
        return (
            text + ", the oldest for " + Humane.age(since: moment, now: now),
            now.since(moment) > Self.ageUnsuspicious ? .warning : .ordinary
        )
    }
}
