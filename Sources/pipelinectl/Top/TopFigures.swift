import Base
import Queue

/// What happened between two samples, and how things stand at the second: what `top` shows.
///
/// Pure. A rate is `nil` where a program cannot be reached or was started in between.
struct TopFigures: Sendable {
    let sample: TopSample
    /// Between the two; nothing where there is one sample alone.
    let interval: Duration

    let webhookRate: Double?
    let webhookByteRate: Double?
    let refusalRate: Double?
    let statusRate: Double?
    let deliveryRate: Double?
    let failedAttemptRate: Double?
    /// Seconds that half, and 99 of 100, acknowledgements took at most.
    let acknowledgement: Quantiles?
    let attempt: Quantiles?
    let ingestGateHold: Quantiles?
    let workersGateHold: Quantiles?

    struct Quantiles: Sendable, Equatable {
        let half: Double
        let most: Double
    }

    init(_ sample: TopSample, since earlier: TopSample?) {
        self.sample = sample
        let before = earlier ?? sample
        interval = sample.moment - before.moment
        let seconds = interval.secondsFraction
        let rate = { (old: Double?, new: Double?) -> Double? in
            guard let old, let new, new >= old, seconds > 0 else { return nil }
            return (new - old) / seconds
        }
        let ingest = { (name: String) in rate(before.ingest?.sum(name), sample.ingest?.sum(name)) }
        let workers = { (name: String) in
            rate(before.workers?.sum(name), sample.workers?.sum(name))
        }
        let counter = { (name: CounterName) in
            rate(Double(before.statistics.count(name)), Double(sample.statistics.count(name)))
        }
        // The queue's own books go on where a program cannot be asked.
        webhookRate = rate(
            Double(before.statistics.lastID.rawValue), Double(sample.statistics.lastID.rawValue))
        webhookByteRate = ingest("ingest_webhook_bytes_total")
        refusalRate = ingest("ingest_refusals_total")
        statusRate = counter(.lakeSealed)
        deliveryRate = counter(.delivered)
        let attempts = workers("workers_forward_attempts_total")
        let delivered = rate(
            before.workers?.value("workers_forward_attempts_total", #"outcome="delivered""#),
            sample.workers?.value("workers_forward_attempts_total", #"outcome="delivered""#))
        failedAttemptRate = attempts.flatMap { all in delivered.map { max(0, all - $0) } }
        acknowledgement = Self.quantiles(
            "ingest_acknowledgement_seconds", before.ingest, sample.ingest)
        attempt = Self.quantiles(
            "workers_forward_attempt_seconds", before.workers, sample.workers)
        ingestGateHold = Self.quantiles("ingest_gate_hold_seconds", before.ingest, sample.ingest)
        workersGateHold = Self.quantiles(
            "workers_gate_hold_seconds", before.workers, sample.workers)
    }

    private static func quantiles(
        _ name: String,
        _ before: PrometheusText?,
        _ after: PrometheusText?
    ) -> Quantiles? {
        guard let before, let after else { return nil }
        let old = before.buckets(name)
        let new = after.buckets(name)
        guard old.count == new.count else { return nil }
        let between = zip(old, new).map { (bound: $1.bound, count: $1.count - $0.count) }
        guard let half = quantile(0.5, of: between), let most = quantile(0.99, of: between) else {
            return nil
        }
        return Quantiles(half: half, most: most)
    }

    /// The value that a share of all observations did not exceed, a straight line inside its
    /// bucket: as Prometheus' `histogram_quantile` has it.
    ///
    /// - Returns: `nil` where nothing was observed, or the counts fell.
    static func quantile(
        _ share: Double,
        of buckets: [(bound: Double, count: Double)]
    ) -> Double? {
        guard let total = buckets.last?.count, total > 0 else { return nil }
        let rank = share * total
        var lower = (bound: 0.0, count: 0.0)
        for bucket in buckets {
            guard bucket.count < rank else {
                guard bucket.bound.isFinite, bucket.count > lower.count else { return lower.bound }
                let part = (rank - lower.count) / (bucket.count - lower.count)
                return lower.bound + (bucket.bound - lower.bound) * part
            }
            lower = bucket
        }
        return nil
    }

    // MARK: For scripts

    var json: JSONValue {
        let statistics = sample.statistics
        let state = { (consumer: QueueStatistics.ConsumerState) -> JSONValue in
            [
                "lag": .int(consumer.lag),
                "oldest_age_ms": .optional(age(consumer.oldestReceivedAt)),
            ]
        }
        return [
            "at": .string(sample.now.rfc3339),
            "interval_ms": .int(Int(interval.milliseconds)),
            "rates": [
                "webhooks": .optional(webhookRate),
                "webhook_bytes": .optional(webhookByteRate),
                "refusals": .optional(refusalRate),
                "statuses": .optional(statusRate),
                "deliveries": .optional(deliveryRate),
                "failed_attempts": .optional(failedAttemptRate),
            ],
            "milliseconds": [
                "acknowledgement": Self.json(acknowledgement), "attempt": Self.json(attempt),
                "ingest_gate_hold": Self.json(ingestGateHold),
                "workers_gate_hold": Self.json(workersGateHold),
            ],
            "lake": state(statistics.lake),
            "forward": state(statistics.forward),
            "unshipped_statuses": .int(statistics.unshippedLineCount),
            "waiting_deliveries": .int(statistics.count(.waitingDeliveries)),
            "waiting_age_ms": .optional(age(statistics.oldestWaitingAt)),
            "retrying_deliveries": .int(statistics.retryingCount),
            "dead_letters": .int(statistics.count(.deadLetters)),
            "breaker": .optional(breaker),
            "ingest_ready": .optional(isReady(sample.ingest, "ingest")),
            "workers_ready": .optional(isReady(sample.workers, "workers")),
            "wal_bytes": .int(sample.walByteCount),
            "spool_bytes": .int(sample.spoolByteCount),
            "disk_free_bytes": .optional(sample.diskFreeByteCount),
        ]
    }

    private static func json(_ quantiles: Quantiles?) -> JSONValue {
        [
            "p50": .optional(quantiles.map { $0.half * 1_000 }),
            "p99": .optional(quantiles.map { $0.most * 1_000 }),
        ]
    }

    private func age(_ moment: Timestamp?) -> Int? {
        moment.map { max(0, Int(sample.now.since($0).milliseconds)) }
    }

    // MARK: What the programs say

    /// `closed`, `open`, `half-open`, the worst of several destinations; `nil` where nobody could
    /// be asked.
    var breaker: String? {
        ["open", "half-open", "closed"].first { state in
            let found = sample.workers?.value(
                "workers_forward_breaker_state", "state=\"\(state)\"")
            return found ?? 0 >= 1
        }
    }

    func isReady(_ program: PrometheusText?, _ name: String) -> Bool? {
        program?.value("pipeline_ready", "program=\"\(name)\"").map { $0 == 1 }
    }
}
