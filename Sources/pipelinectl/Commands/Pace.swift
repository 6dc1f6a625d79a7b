import Base
import Queue

/// So many a second, evenly, for what a receiver could not take all at once.
///
/// Not `Sendable`: one command runs on one thread.
final class Pace {
    static let flag = Flag(
        "rate", .number(1...100_000), help: "so many a second instead of all at once")

    /// How many to do before the next ``wait(afterDoing:)``: a tenth of a second's worth.
    let sliceCount: Int
    private let perSecond: Int?
    private let startedAt = MonotonicClock.now()
    private let wakeUp: WakeUp
    private var doneCount = 0

    /// Starts the clock.
    ///
    /// - Parameters:
    ///   - perSecond: `nil` for no limit.
    ///   - sliceCountMax: of one slice, whatever the rate.
    /// - Throws: ``SystemError`` where the process has no descriptor left.
    init(perSecond: Int?, sliceCountMax: Int) throws(SystemError) {
        self.perSecond = perSecond
        sliceCount = perSecond.map { max(1, min(sliceCountMax, $0 / 10)) } ?? sliceCountMax
        wakeUp = try WakeUp()
    }

    /// The pace that a command line asks for.
    static func read(_ arguments: ParsedArguments, sliceCountMax: Int) throws(Failure) -> Pace {
        try Failure.system { () throws(SystemError) in
            try Pace(perSecond: arguments.number(flag), sliceCountMax: sliceCountMax)
        }
    }

    /// Blocks until it is time for more.
    func wait(afterDoing count: Int) {
        guard let perSecond else { return }
        doneCount += count
        let elapsed = MonotonicClock.now() - startedAt
        let delay = Self.delay(afterDoing: doneCount, perSecond: perSecond, elapsed: elapsed)
        guard delay > .zero else { return }
        _ = wakeUp.wait(timeout: delay)
    }

    /// How much longer so many must take.
    static func delay(afterDoing count: Int, perSecond: Int, elapsed: Duration) -> Duration {
        max(.zero, .seconds(1) * count / perSecond - elapsed)
    }
}
