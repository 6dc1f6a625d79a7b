import Base
import WhatsApp

/// Everything the server is told before it starts.
struct ServerSetUp: ~Copyable {
    var limits: ServerLimits
    var requestLimits: HTTPLimits
    /// `INGEST_PATH`.
    var path: String
    var verifyToken: Secret
    /// At least one; the order is that of the configuration.
    var secrets: [AppSecret]
    var proxies: TrustedProxies
    var listener: Listener

    /// The most that one request can occupy: head, body, and a read's worth of undecoded chunks.
    var requestBytesMax: Int { Self.requestBytesMax(limits, requestLimits) }

    /// As ``requestBytesMax``, for the configuration to check.
    static func requestBytesMax(_ limits: ServerLimits, _ requestLimits: HTTPLimits) -> Int {
        requestLimits.headBytesMax + requestLimits.bodyBytesMax + limits.readBytesMax
    }
}
