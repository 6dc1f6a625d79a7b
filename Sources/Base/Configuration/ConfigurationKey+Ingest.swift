extension ConfigurationKey {
    // ---------- all three programs

    /// Where the queue's database is.
    public static let queuePath = ConfigurationKey(
        "QUEUE_PATH", .default("var/queue.db"),
        help: "the queue; other files stand beside it under names that begin with its own")
    /// The least severe line that is logged.
    public static let logLevel = ConfigurationKey(
        "LOG_LEVEL", .default("info"), help: "debug, info, notice, warning or error")
    /// The look of log lines.
    public static let logFormat = ConfigurationKey(
        "LOG_FORMAT", .default("auto"), help: "text, json, or auto: text on a terminal, else json")
    /// How long a write may wait for another program's.
    public static let gateWaitMax = ConfigurationKey(
        "GATE_WAIT_MAX", .default("2s"),
        help: "how long a webhook may wait for another program's write before it is answered 503")
    /// The size of the write-ahead log at which a checkpoint is due.
    public static let walBytesMax = ConfigurationKey(
        "WAL_BYTES_MAX", .default("16MiB"),
        help: "the write-ahead log is moved into the database when it has grown to this size")

    static let commonKeys = [queuePath, logLevel, logFormat, gateWaitMax, walBytesMax]

    // ---------- ingest

    /// The app secrets that verify webhooks, the first of which signs.
    public static let whatsAppAppSecret = ConfigurationKey(
        "WHATSAPP_APP_SECRET", .required, isSecret: true,
        help: "the app secret that signs webhooks; of several, separated by commas, all verify")
    /// The token of the verification handshake.
    public static let whatsAppVerifyToken = ConfigurationKey(
        "WHATSAPP_VERIFY_TOKEN", .required, isSecret: true,
        help: "the verify token that was typed into Meta's dashboard")
    /// Where webhooks come in.
    public static let ingestListen = ConfigurationKey(
        "INGEST_LISTEN", .default("127.0.0.1:8080"), help: "where webhooks come in")
    /// Where ingest shows its metrics.
    public static let ingestAdminListen = ConfigurationKey(
        "INGEST_ADMIN_LISTEN", .default("127.0.0.1:9080"),
        help: "/metrics, /healthz and /readyz of ingest; not for the internet")
    /// The only path that takes webhooks.
    public static let ingestPath = ConfigurationKey(
        "INGEST_PATH", .default("/webhook"), help: "the only path that takes webhooks")
    /// Longest body of a webhook.
    public static let ingestBodyBytesMax = ConfigurationKey(
        "INGEST_BODY_BYTES_MAX", .default("4MiB"),
        help: "longer bodies are answered 413; WhatsApp sends up to 3 MB")
    /// Memory of all connections together.
    public static let ingestBufferBytesMax = ConfigurationKey(
        "INGEST_BUFFER_BYTES_MAX", .default("32MiB"),
        help: "what all connections together may hold in memory")
    /// Connections at once.
    public static let ingestConnectionsMax = ConfigurationKey(
        "INGEST_CONNECTIONS_MAX", .default("12000"),
        help: "connections at once; more wait in the kernel")
    /// Longest time for the head of a request.
    public static let ingestHeadTimeMax = ConfigurationKey(
        "INGEST_HEAD_TIME_MAX", .default("10s"),
        help: "from the first byte of a request to the end of its head")
    /// Longest time for the body of a request.
    public static let ingestBodyTimeMax = ConfigurationKey(
        "INGEST_BODY_TIME_MAX", .default("30s"),
        help: "from the end of the head to the last byte of the body")
    /// Longest time a connection may be idle.
    public static let ingestIdleTimeMax = ConfigurationKey(
        "INGEST_IDLE_TIME_MAX", .default("60s"),
        help: "how long a connection is kept open without a request")
    /// Whose X-Forwarded-For is believed.
    public static let ingestTrustedProxies = ConfigurationKey(
        "INGEST_TRUSTED_PROXIES", .default("127.0.0.0/8,::1"),
        help: "addresses and networks whose X-Forwarded-For is believed; empty for none")
    /// Largest queue.
    public static let queueBytesMax = ConfigurationKey(
        "QUEUE_BYTES_MAX", .default("0"),
        help: "beyond it webhooks are answered 503 until the workers catch up; 0 for no limit")
    /// Least free space on the queue's disk.
    public static let diskFreeBytesMin = ConfigurationKey(
        "DISK_FREE_BYTES_MIN", .default("256MiB"),
        help: "webhooks are answered 503 while the disk has less room")

    static let ingestKeys = [
        whatsAppAppSecret, whatsAppVerifyToken, ingestListen, ingestAdminListen, ingestPath,
        ingestBodyBytesMax, ingestBufferBytesMax, ingestConnectionsMax, ingestHeadTimeMax,
        ingestBodyTimeMax, ingestIdleTimeMax, ingestTrustedProxies, queueBytesMax,
        diskFreeBytesMin,
    ]
}
