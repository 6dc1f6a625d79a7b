import Base
import WhatsApp

/// What the forward pool is told by the configuration.
struct ForwardSettings: Sendable {
    /// Where deliveries go, `FORWARD_URL`.
    var url: String
    /// Requests under way at once, `FORWARD_CONCURRENCY`.
    var concurrencyMax: Int
    /// From the start of a request to the end of its answer, `FORWARD_TIMEOUT`.
    var answerDurationMax: Duration
    /// Until a connection stands, TLS included, `FORWARD_CONNECT_TIMEOUT`.
    var connectDurationMax: Duration
    /// Requests started a second, `FORWARD_RATE_MAX`; 0: no limit.
    var ratePerSecondMax: Int
    /// What becomes of an attempt.
    var policy: ForwardPolicy
    /// Deliveries in one POST, `FORWARD_BATCH_MAX`.
    var batchCountMax: Int
    /// Bytes of such a POST, `FORWARD_BATCH_BYTES_MAX`.
    var batchBytesMax: Int
    /// Cuts webhooks for PHP, `FORWARD_SPLIT` and `FORWARD_STATUSES`.
    var splitter: WebhookSplitter
    /// Sent with every delivery, `FORWARD_HEADERS`.
    var headers: [HTTPRequest.Header]
    /// The first signs what was verified by one that is gone; never empty.
    var secrets: [AppSecret]
    /// How long doubles are told, `DEDUP_WINDOW`.
    var dedupWindow: Duration
}
