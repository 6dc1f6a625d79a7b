import Base
import WhatsApp

/// What `/metrics` says of ingest.
struct ServerMetrics: Sendable {
    /// Counters by status, found by its place in the table.
    struct ByStatus: Sendable {
        fileprivate let counters: [Counter]

        subscript(status: HTTPStatus) -> Counter { counters[Int(status.rawValue)] }
    }

    let requests: ByStatus
    /// By the raw value of a refusal.
    let refusals: [Counter]
    let webhooks: Counter
    let webhookBytes: Counter
    let signatureFailures: Counter
    /// By the place of the secret in the configuration.
    let signatureMatches: [Counter]
    let commitFailures: Counter
    let acceptPauses: Counter
    let connections: Gauge
    let bufferBytes: Gauge
    let commitDuration: Histogram
    let commitWebhooks: Histogram
    let acknowledgementDuration: Histogram

    /// Registers everything.
    init(_ registry: MetricsRegistry, secrets: [AppSecret]) {
        requests = ByStatus(
            counters: HTTPStatus.allCases.map { status in
                registry.counter(
                    "ingest_requests_total", help: "Requests answered, by status code.",
                    labels: ["code": "\(status.code)"])
            })
        refusals = Refusal.allCases.map { refusal in
            registry.counter(
                "ingest_refusals_total", help: "Requests that got no 200, by reason.",
                labels: ["reason": refusal.label])
        }
        signatureMatches = secrets.map { secret in
            registry.counter(
                "ingest_signature_matches_total",
                help: "Webhooks by the app secret that verified them.",
                labels: ["secret": secret.fingerprint])
        }
        webhooks = registry.counter(
            "ingest_webhooks_total", help: "Webhooks stored and acknowledged.")
        webhookBytes = registry.counter(
            "ingest_webhook_bytes_total", help: "Bytes of their bodies.")
        signatureFailures = registry.counter(
            "ingest_signature_failures_total", help: "Webhooks with a wrong signature.")
        commitFailures = registry.counter(
            "ingest_commit_failures_total", help: "Groups that could not be stored.")
        acceptPauses = registry.counter(
            "ingest_accept_pauses_total",
            help: "Times that new connections had to wait for others to go.")
        connections = registry.gauge("ingest_connections", help: "Open connections.")
        bufferBytes = registry.gauge(
            "ingest_buffer_bytes", help: "Memory that holds parts of requests.")
        commitDuration = registry.histogram(
            "ingest_commit_seconds", help: "How long a group's transaction took, its sync included."
        )
        commitWebhooks = registry.histogram(
            "ingest_commit_webhooks", help: "Webhooks of one group.",
            buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024])
        acknowledgementDuration = registry.histogram(
            "ingest_acknowledgement_seconds",
            help: "From the turn that read a webhook's last byte to its 200.")
    }
}
