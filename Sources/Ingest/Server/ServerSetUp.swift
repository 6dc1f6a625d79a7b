import Base
import WhatsApp

/// What asks the server to stop: signals, or a test.
struct StopSignals {
    /// Readable when somebody asks.
    let descriptor: Int32
    /// Takes one request to stop; false where there is none.
    let take: () -> Bool

    /// SIGTERM and SIGINT.
    init(_ watcher: SignalWatcher) {
        descriptor = watcher.descriptor
        take = { watcher.next() != nil }
    }

    /// Whoever signals `wakeUp`.
    init(_ wakeUp: WakeUp) {
        descriptor = wakeUp.descriptor
        take = {
            wakeUp.drain()
            return true
        }
    }
}

/// Everything the server is told before it starts.
struct ServerSetUp {
    var limits: ServerLimits
    var requestLimits: HTTPLimits
    /// `INGEST_PATH`.
    var path: String
    var verifyToken: Secret
    /// At least one; the order is that of the configuration.
    var secrets: [AppSecret]
    var proxies: TrustedProxies
    var listener: Listener
    /// Hears from the loop that it goes on.
    var supervisor = Supervisor(environment: [:])

    /// The most that one request can occupy: head, body, and a read's worth of undecoded chunks.
    var requestBytesMax: Int { Self.requestBytesMax(limits, requestLimits) }

    /// As ``requestBytesMax``, for the configuration to check.
    static func requestBytesMax(_ limits: ServerLimits, _ requestLimits: HTTPLimits) -> Int {
        requestLimits.headBytesMax + requestLimits.bodyBytesMax + limits.readBytesMax
    }
}
