import Base
import Queue

/// What goes out in one POST: one delivery, or several that may travel together.
struct DispatchUnit {
    let lane: Lane
    /// Never empty; in the order in which the receiver sees them.
    let deliveries: [Delivery]
    /// Sent while the breaker was open, to find out.
    let isProbe: Bool
    /// The breaker's count when it was sent: one more since then means nothing is spent.
    let openingCount: Int

    /// What the breaker knows it by.
    var conversation: String { deliveries[0].envelope.conversations[0] }
}

/// How long the breaker has been closed over the life of the queue: the clock by which deliveries
/// age.
struct ClosedClock: Sendable {
    private var total: Duration
    private var runningSince: Duration?

    /// - Parameters:
    ///   - total: what the queue has stored.
    ///   - now: on the monotonic clock; the breaker starts closed.
    init(total: Duration, now: Duration) {
        self.total = total
        runningSince = now
    }

    func reading(now: Duration) -> Duration {
        total + (runningSince.map { now - $0 } ?? .zero)
    }

    /// Runs while the breaker is closed.
    mutating func follow(isClosed: Bool, now: Duration) {
        switch (isClosed, runningSince) {
        case (true, nil): runningSince = now
        case (false, .some(let since)):
            total = total + (now - since)
            runningSince = nil
        case (true, .some), (false, nil): break
        }
    }
}
