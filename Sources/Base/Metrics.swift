import Synchronization

/// A number that only grows; any thread may add to it, without a lock.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    init() {}

    /// Adds to the count.
    ///
    /// - Parameter amount: 0 or more; a count never shrinks.
    public func add(_ amount: Int = 1) {
        precondition(amount >= 0, "a counter only grows")
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The count so far.
    public var value: Int { count.load(ordering: .relaxed) }
}

/// A number that goes up and down; set by its owner, or read anew each time it is asked for.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)
    private let read: (@Sendable () -> Double)?

    init(read: (@Sendable () -> Double)? = nil) { self.read = read }

    /// Replaces the value; not for a gauge that was registered with a closure to read.
    public func set(_ value: Double) {
        precondition(read == nil, "a gauge that is read cannot be set")
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    /// The value last set, or what the closure says now.
    public var value: Double {
        read?() ?? Double(bitPattern: bits.load(ordering: .relaxed))
    }
}

/// How often durations, or counts, fell below each of a few fixed bounds.
public final class Histogram: Sendable {
    /// Bounds in seconds that fit a disk's sync as well as a slow server.
    public static let latencyBuckets: [Double] = [
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        30, 60,
    ]

    /// Upper bounds, rising; what lies above the last is counted as well.
    let bounds: [Double]
    private let counts: [Counter]
    private let sumBits = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        precondition(!bounds.isEmpty, "a histogram needs a bound")
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 } && bounds.allSatisfy(\.isFinite),
            "the bounds of a histogram rise"
        )
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Counter() }
    }

    /// Counts one duration, in seconds.
    public func observe(_ duration: Duration) { observe(duration.secondsFraction) }

    /// Counts one amount, for a histogram of counts or bytes.
    public func observe(count: Int) { observe(Double(count)) }

    private func observe(_ value: Double) {
        // A bound belongs to its bucket: le means less or equal.
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        var old = sumBits.load(ordering: .relaxed)
        while true {
            let (isExchanged, found) = sumBits.weakCompareExchange(
                expected: old,
                desired: (Double(bitPattern: old) + value).bitPattern,
                ordering: .relaxed
            )
            if isExchanged { return }
            old = found
        }
    }

    /// For each bound, and then for infinity, how many were at most that.
    var cumulativeCounts: [Int] {
        var total = 0
        return counts.map { count in
            total += count.value
            return total
        }
    }

    /// The sum of all that was observed.
    var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }
}
