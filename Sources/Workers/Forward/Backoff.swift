/// Delays that double, with full jitter: anything between nothing and the ceiling.
///
/// Full jitter spreads what failed together over the whole delay, so that it does not come back
/// together.
struct Backoff: Sendable, Equatable {
    /// Ceiling of the first delay, `FORWARD_BACKOFF_MIN`.
    var delayMin: Duration
    /// No ceiling is above it, `FORWARD_BACKOFF_MAX`.
    var delayMax: Duration

    /// The widest delay after attempt `number`, from 1; doubles with each, and cannot overflow.
    func ceiling(afterAttempt number: Int) -> Duration {
        precondition(number >= 1, "attempts count from 1")
        var ceiling = delayMin
        var doublings = number - 1
        while doublings > 0, .zero < ceiling, ceiling < delayMax {
            ceiling = ceiling * 2
            doublings -= 1
        }
        return min(ceiling, delayMax)
    }

    /// The delay after attempt `number`, from 1, for a jitter in `0..<1`.
    func delay(afterAttempt number: Int, jitter: Double) -> Duration {
        precondition((0..<1).contains(jitter), "jitter is a fraction")
        return ceiling(afterAttempt: number) * jitter
    }
}
