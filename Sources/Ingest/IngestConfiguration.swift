import Base
import Queue
import WhatsApp

/// Everything that `ingest` is told, read once at start.
struct IngestConfiguration {
    var location: QueueLocation
    var listen: ListenAddress
    var adminListen: ListenAddress
    var path: String
    var secrets: [AppSecret]
    var verifyToken: Secret
    var proxies: TrustedProxies
    var limits: ServerLimits
    var requestLimits: HTTPLimits
    var diskFreeBytesMin: Int
    /// 0: no limit.
    var queueBytesMax: Int
    var walBytesMax: Int
    var logLevel: Log.Level
    var logFormat: Log.Format
    /// All of it, for the log; secrets are hidden.
    var effective: [(key: String, value: String)]

    /// Reads the keys that ingest uses, and no others.
    ///
    /// - Parameter source: file and environment.
    /// - Throws: ``ConfigurationError`` with every problem there is.
    init(_ source: ConfigurationSource) throws(ConfigurationError) {
        var reader = ConfigurationReader(source)
        location = QueueLocation(path: reader.string(.queuePath))
        listen = reader.listenAddress(.ingestListen)
        adminListen = reader.listenAddress(.ingestAdminListen)
        path = Self.readPath(&reader)
        secrets = reader.secretList(.whatsAppAppSecret).map(AppSecret.init)
        verifyToken = reader.secret(.whatsAppVerifyToken)
        proxies = Self.readProxies(&reader)
        requestLimits = HTTPLimits()
        requestLimits.bodyBytesMax = reader.byteCount(
            .ingestBodyBytesMax, in: 1_024...64 * 1_048_576)
        limits = Self.readLimits(&reader, requestLimits)
        diskFreeBytesMin = reader.byteCount(.diskFreeBytesMin, in: 0 ... .max)
        queueBytesMax = reader.byteCount(.queueBytesMax, in: 0 ... .max)
        walBytesMax = reader.byteCount(.walBytesMax, in: 1 << 20...1 << 34)
        logLevel = reader.choice(.logLevel, as: Log.Level.self)
        logFormat = reader.choice(.logFormat, as: Log.Format.self)
        effective = reader.effective
        try reader.finish()
    }

    private static func readPath(_ reader: inout ConfigurationReader) -> String {
        let path = reader.string(.ingestPath)
        let isPlain = path.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 0x3F && $0 != 0x23 }
        if !path.hasPrefix("/") || !isPlain {
            reader.problem(
                .ingestPath, value: path, expected: "a path that begins with / and has no query")
        }
        return path
    }

    private static func readProxies(_ reader: inout ConfigurationReader) -> TrustedProxies {
        let text = reader.optionalString(.ingestTrustedProxies) ?? ""
        if let proxies = TrustedProxies(text) { return proxies }
        reader.problem(
            .ingestTrustedProxies, value: text,
            expected: "addresses and networks, 10.0.0.0/8,::1 say")
        return TrustedProxies()
    }

    private static func readLimits(
        _ reader: inout ConfigurationReader,
        _ requestLimits: HTTPLimits
    ) -> ServerLimits {
        var limits = ServerLimits()
        let connectionsMax = reader.integer(.ingestConnectionsMax, in: 1...100_000)
        let bufferBytesMax = reader.byteCount(.ingestBufferBytesMax, in: 1 << 20...1 << 36)
        limits.headDuration = reader.duration(
            .ingestHeadTimeMax, in: .milliseconds(100) ... .seconds(600))
        limits.bodyDuration = reader.duration(
            .ingestBodyTimeMax, in: .milliseconds(100) ... .seconds(3_600))
        limits.idleDuration = reader.duration(
            .ingestIdleTimeMax, in: .milliseconds(100) ... .seconds(86_400))
        limits.gateWaitMax = reader.duration(.gateWaitMax, in: .milliseconds(10) ... .seconds(60))
        limits.connectionsMax = connectionsMax
        limits.bufferBytesMax = bufferBytesMax
        let needed =
            2
            * max(
                ServerSetUp.requestBytesMax(limits, requestLimits),
                connectionsMax * BufferBudget.shareBytesMin)
        if bufferBytesMax < needed {
            reader.problem(
                .ingestBufferBytesMax, value: "\(bufferBytesMax)",
                expected: "\(needed) bytes or more, for INGEST_BODY_BYTES_MAX and "
                    + "INGEST_CONNECTIONS_MAX as they are")
            limits.bufferBytesMax = needed
        }
        return limits
    }
}
