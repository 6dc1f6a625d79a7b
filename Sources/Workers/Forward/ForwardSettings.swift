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
    /// Other destinations and what goes there, `ROUTES`.
    var routes: RouteTable?
}

extension ForwardSettings {
    /// `FORWARD_URL`, which takes what no route sends elsewhere.
    var defaultDestination: DestinationSettings {
        DestinationSettings(
            name: "", url: url, concurrencyMax: concurrencyMax,
            ratePerSecondMax: ratePerSecondMax, limits: limits(answer: answerDurationMax),
            headers: headers)
    }

    /// Those of `ROUTES`; what one does not say is as for the default, but for the headers, which
    /// may hold the key to another house.
    var routedDestinations: [DestinationSettings] {
        (routes?.destinations ?? []).map { destination in
            DestinationSettings(
                name: destination.name, url: destination.url,
                concurrencyMax: destination.concurrencyMax ?? concurrencyMax,
                ratePerSecondMax: destination.ratePerSecondMax ?? 0,
                limits: limits(answer: destination.answerDurationMax ?? answerDurationMax),
                headers: destination.takesHeaders ? headers : [])
        }
    }

    private func limits(answer: Duration) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connectDuration = connectDurationMax
        limits.answerDuration = answer
        limits.connectionsMax = concurrencyMax
        return limits
    }
}
