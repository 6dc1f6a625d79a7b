import Glibc

/// Milliseconds since the Unix epoch, the only form in which time is stored.
///
/// Wall time: it may step backwards. Durations between two moments of one process are measured
/// with ``MonotonicClock``.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let rawValue: Int64

    /// The moment that many milliseconds after the epoch.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// The moment `seconds` after the epoch; clamped where milliseconds would overflow.
    public init(seconds: Int64) {
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000)
        rawValue = overflows ? (seconds < 0 ? .min : .max) : product
    }

    /// The wall clock, by `CLOCK_REALTIME`.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(rawValue: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Whole seconds since the epoch, rounded down also before 1970.
    public var seconds: Int64 { rawValue / 1_000 - (rawValue % 1_000 < 0 ? 1 : 0) }

    /// Earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The moment a duration later, in whole milliseconds.
    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(rawValue: left.rawValue &+ right.milliseconds)
    }

    /// The moment a duration earlier, in whole milliseconds.
    public static func - (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(rawValue: left.rawValue &- right.milliseconds)
    }

    /// The time from `earlier` to this moment; negative where the clock stepped back.
    public func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(rawValue &- earlier.rawValue)
    }
}

extension Duration {
    /// Whole milliseconds, truncated towards zero.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000 &+ attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with their fraction, for metrics.
    public var secondsFraction: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

/// Time that only moves forward, for measuring and for deadlines inside one process.
public enum MonotonicClock {
    /// `CLOCK_MONOTONIC`: the time since an arbitrary start, unaffected by clock steps.
    public static func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
