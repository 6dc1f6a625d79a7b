import Base
import Queue

/// Where deliveries of one kind go, and how hard they may push.
struct DestinationSettings: Sendable {
    /// The route's name; empty: `FORWARD_URL`, which takes everything else.
    var name: String
    var url: String
    /// Requests under way at once.
    var concurrencyMax: Int
    /// Requests started a second; 0: no limit.
    var ratePerSecondMax: Int
    var limits: HTTPLimits
    /// Sent with every request.
    var headers: [HTTPRequest.Header]

    /// As metrics, logs and `status` show it.
    var label: String { name.isEmpty ? "default" : name }
}

/// One destination at work: its breaker, its limits, and what is under way to it.
///
/// Not `Sendable`: it belongs to the forward thread.
final class Lane {
    let destination: DestinationSettings
    /// The names that its deliveries carry: its own, and for the default those that no route knows
    /// any more.
    let names: [String]
    let request: DeliveryRequest
    let metrics: LaneMetrics

    var breaker: Breaker
    var limiter: RateLimiter
    var closedClock: ClosedClock
    var hints = AnswerHints()
    /// Requests under way.
    var inFlightCount = 0
    /// Deliveries under way, and those whose settlement is not stored yet.
    var held: Set<DeliveryID> = []
    /// Judged, and not stored yet.
    var unsettled: [Settlement] = []
    /// When the first of them was judged.
    var unsettledSince: Duration?
    /// When sending may go on, where nothing else tells.
    var nextDispatchAt: Duration?

    init(
        _ destination: DestinationSettings, names: [String], backoff: Backoff,
        closedTime: Duration, metrics: LaneMetrics
    ) {
        self.destination = destination
        self.names = names
        self.metrics = metrics
        request = DeliveryRequest(url: destination.url, extraHeaders: destination.headers)
        breaker = Breaker(delays: backoff, concurrencyMax: destination.concurrencyMax)
        limiter = RateLimiter(perSecondMax: destination.ratePerSecondMax)
        closedClock = ClosedClock(total: closedTime, now: MonotonicClock.now())
        metrics.show(breaker)
    }

    /// Whether what was judged is to be stored now: where a request could run that does not, where
    /// it is much, or where it has waited.
    func wantsSettling(now: Duration) -> Bool {
        guard let unsettledSince else { return false }
        return inFlightCount < breaker.concurrencyLimit
            || unsettled.count >= ForwardLoop.unsettledCountMax
            || now - unsettledSince >= ForwardLoop.unsettledAgeMax
    }

    /// Deliveries that are due here, the longest due first.
    func claim(
        limit: Int, byteCountMax: Int = .max, now: Timestamp, from books: ForwardBooks
    ) throws(QueueError) -> [Delivery] {
        var claimed: [Delivery] = []
        for name in names where claimed.count < limit {
            claimed += try books.claim(
                limit: limit - claimed.count, byteCountMax: byteCountMax, now: now,
                excluding: held, at: name)
        }
        return claimed
    }

    /// When the next delivery falls due here; nil where none waits.
    func nextDue(from books: ForwardBooks) throws(QueueError) -> Timestamp? {
        var earliest: Timestamp?
        for name in names {
            guard let due = try books.nextDue(excluding: held, at: name) else { continue }
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }
}
