import Base

/// How far something is that takes longer than a second: one line that is written again and again.
///
/// Silent in a pipe, and for whatever is done at once. Not `Sendable`.
final class Progress {
    private let console: Console
    private let verb: String
    private let total: Int?
    private let startedAt = MonotonicClock.now()
    private var shownAt: Duration?

    private static let firstAfter = Duration.seconds(1)
    private static let interval = Duration.milliseconds(250)

    /// Starts the clock; `verb` is `replayed` say, `total` how many there will be, where known.
    init(_ verb: String, of total: Int?, on console: Console) {
        self.console = console
        self.verb = verb
        self.total = total
    }

    /// Shows how many are done, where it is time to.
    func show(_ doneCount: Int) {
        let now = MonotonicClock.now()
        guard now - startedAt >= Self.firstAfter,
            shownAt.map({ now - $0 >= Self.interval }) ?? true
        else { return }
        shownAt = now
        console.showPassing(
            Self.text(verb, doneCount, of: total, after: now - startedAt))
    }

    /// Takes the line away again.
    func end() {
        if shownAt != nil { console.showPassing("") }
    }

    /// `replayed 12,000 of 50,000, 8,000 a second, 5 s left`.
    static func text(
        _ verb: String,
        _ doneCount: Int,
        of total: Int?,
        after duration: Duration
    ) -> String {
        let rate = Double(doneCount) / max(0.001, duration.secondsFraction)
        var text = "\(verb) \(Humane.count(doneCount))"
        if let total { text += " of \(Humane.count(total))" }
        text += ", \(Humane.count(Int(rate))) a second"
        guard let total, rate > 0, total > doneCount else { return text }
        let left = Double(total - doneCount) / rate
        return text + ", \(Humane.duration(.seconds(Int64(min(left, 1e9).rounded(.up))))) left"
    }
}
