import Base

/// The numbers of the forward pool, `workers_forward_…`.
struct ForwardMetrics: Sendable {
    private let registry: MetricsRegistry
    let attemptDuration: Histogram
    let delivered: Counter
    let dead: Counter
    let accepted: Counter
    let doubles: Counter
    let unparseable: Counter
    let htmlAnswers: Counter
    let lag: Gauge
    let oldestAge: Gauge

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        attemptDuration = registry.histogram(
            "workers_forward_attempt_seconds", help: "Time from the start of a request to its end.")
        delivered = registry.counter(
            "workers_forward_delivered_total", help: "Deliveries that the receiver accepted.")
        dead = registry.counter(
            "workers_forward_dead_total", help: "Deliveries given up after failing.")
        accepted = registry.counter(
            "workers_forward_accepted_total", help: "Deliveries made from the log.")
        doubles = registry.counter(
            "workers_forward_doubles_total", help: "Events dropped because they were met before.")
        unparseable = registry.counter(
            "workers_forward_unparseable_total",
            help: "Webhooks whose signed bytes could not be read.")
        htmlAnswers = registry.counter(
            "workers_forward_html_answers_total",
            help: "Answers 2xx with an HTML body: likely an error page that hides a failure.")
        lag = registry.gauge(
            "workers_forward_lag_webhooks", help: "Webhooks that forward has still to read.")
        oldestAge = registry.gauge(
            "workers_forward_oldest_age_seconds",
            help: "Age of the webhook behind the delivery that has waited longest, or is unread.")
    }

    /// The numbers of one destination.
    func lane(_ label: String) -> LaneMetrics { LaneMetrics(registry, destination: label) }
}

/// The numbers of one destination of the forward pool.
struct LaneMetrics: Sendable {
    /// How attempts are told apart.
    enum AttemptOutcome: String, CaseIterable, Sendable {
        case delivered, refused, transient, unreached, cancelled
    }

    private let outcomes: [AttemptOutcome: Counter]
    private let breakerState: [Breaker.StateName: Gauge]
    let breakerOpenings: Counter
    let inFlight: Gauge
    let concurrencyLimit: Gauge

    init(_ registry: MetricsRegistry, destination: String) {
        let labels = ["destination": destination]
        var outcomes: [AttemptOutcome: Counter] = [:]
        for outcome in AttemptOutcome.allCases {
            outcomes[outcome] = registry.counter(
                "workers_forward_attempts_total",
                help: "Requests to a destination by what they came to.",
                labels: ["destination": destination, "outcome": outcome.rawValue])
        }
        self.outcomes = outcomes
        var states: [Breaker.StateName: Gauge] = [:]
        for state in Breaker.StateName.allCases {
            states[state] = registry.gauge(
                "workers_forward_breaker_state",
                help: "1 for the state the destination's breaker is in, 0 for the others.",
                labels: ["destination": destination, "state": state.rawValue])
        }
        breakerState = states
        breakerOpenings = registry.counter(
            "workers_forward_breaker_openings_total", help: "Times the breaker opened.",
            labels: labels)
        inFlight = registry.gauge(
            "workers_forward_in_flight_requests", help: "Requests under way.", labels: labels)
        concurrencyLimit = registry.gauge(
            "workers_forward_concurrency_limit",
            help: "Requests that may be under way now; low after an outage.", labels: labels)
    }

    /// Counts one attempt.
    func count(_ outcome: AttemptOutcome) { outcomes[outcome]?.add() }

    /// Shows the breaker's state.
    func show(_ breaker: Breaker) {
        for (state, gauge) in breakerState { gauge.set(state == breaker.stateName ? 1 : 0) }
        concurrencyLimit.set(Double(breaker.concurrencyLimit))
    }
}
