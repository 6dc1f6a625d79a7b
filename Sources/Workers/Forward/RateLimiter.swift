/// Spaces attempts evenly, and never sends several at once to make up for a pause.
///
/// Pure: time is passed in.
struct RateLimiter: Sendable {
    /// Zero where there is no limit.
    private let interval: Duration
    private var nextAt: Duration = .zero

    /// - Parameter perSecondMax: `FORWARD_RATE_MAX`; 0: no limit.
    init(perSecondMax: Int) {
        precondition(perSecondMax >= 0, "a rate is not negative")
        interval = perSecondMax == 0 ? .zero : .seconds(1) / perSecondMax
    }

    /// When the next attempt may start; nil: now.
    func waits(now: Duration) -> Duration? {
        interval > .zero && now < nextAt ? nextAt : nil
    }

    /// Notes that an attempt starts.
    ///
    /// The grid is kept while attempts are late by less than one interval, so that a timer's
    /// rounding does not lower the rate; after a longer pause it starts anew.
    mutating func started(now: Duration) {
        guard interval > .zero else { return }
        nextAt = (now - nextAt < interval ? max(nextAt, now - interval) : now) + interval
    }
}
