extension ConfigurationKey {
    // ---------- the forward pool

    /// Where deliveries are posted.
    public static let forwardURL = ConfigurationKey(
        "FORWARD_URL", .required,
        help: "where deliveries are posted, http://127.0.0.1:8000/webhook.php say")
    /// Deliveries under way at once.
    public static let forwardConcurrency = ConfigurationKey(
        "FORWARD_CONCURRENCY", .default("8"),
        help: "deliveries under way at once, each of another conversation")
    /// Longest time of one attempt.
    public static let forwardTimeout = ConfigurationKey(
        "FORWARD_TIMEOUT", .default("60s"),
        help: "for one attempt, from connecting to the last byte of the answer")
    /// Longest time to connect.
    public static let forwardConnectTimeout = ConfigurationKey(
        "FORWARD_CONNECT_TIMEOUT", .default("10s"), help: "for connecting, TLS included")
    /// Attempts a second.
    public static let forwardRateMax = ConfigurationKey(
        "FORWARD_RATE_MAX", .default("0"), help: "attempts a second; 0 for no limit")
    /// Attempts before a delivery is dead.
    public static let forwardAttemptsMax = ConfigurationKey(
        "FORWARD_ATTEMPTS_MAX", .default("20"),
        help: "failed attempts before a delivery becomes a dead letter")
    /// Refusals before a delivery is dead.
    public static let forwardRefusalsMax = ConfigurationKey(
        "FORWARD_REFUSALS_MAX", .default("3"),
        help: "the same for answers that trying again will hardly change, a 400 say")
    /// Longest time a delivery is tried.
    public static let forwardAgeMax = ConfigurationKey(
        "FORWARD_AGE_MAX", .default("24h"),
        help: "how long a delivery is tried; time while PHP was down does not count")
    /// Shortest wait after a failure.
    public static let forwardBackoffMin = ConfigurationKey(
        "FORWARD_BACKOFF_MIN", .default("1s"), help: "the first wait after a failure")
    /// Longest wait after a failure.
    public static let forwardBackoffMax = ConfigurationKey(
        "FORWARD_BACKOFF_MAX", .default("10m"),
        help: "the longest wait; waits double, and a random part is taken off each")
    /// Deliveries to one POST.
    public static let forwardBatchMax = ConfigurationKey(
        "FORWARD_BATCH_MAX", .default("1"),
        help: "deliveries to put into one POST when there is a backlog")
    /// Largest POST of several deliveries.
    public static let forwardBatchBytesMax = ConfigurationKey(
        "FORWARD_BATCH_BYTES_MAX", .default("512KiB"), help: "and how large it may grow")
    /// How a body is cut.
    public static let forwardSplit = ConfigurationKey(
        "FORWARD_SPLIT", .default("conversation"),
        help: "how a body is cut: conversation, webhook or message")
    /// Statuses that go to PHP too.
    public static let forwardStatuses = ConfigurationKey(
        "FORWARD_STATUSES", .default(""),
        help: "statuses that go to PHP too, failed say; separated by commas")
    /// Further headers; they may hold a firewall's key.
    public static let forwardHeaders = ConfigurationKey(
        "FORWARD_HEADERS", .default(""), isSecret: true,
        help: "further headers, for a firewall in front of PHP")
    /// Further destinations.
    public static let routes = ConfigurationKey(
        "ROUTES", .optional,
        help: "a file with further destinations, and which deliveries go there")
    /// How long what was delivered is kept.
    public static let retainDelivered = ConfigurationKey(
        "RETAIN_DELIVERED", .default("7d"),
        help: "how long a delivered body is kept, so that it can be replayed")

    static let forwardKeys = [
        forwardURL, forwardConcurrency, forwardTimeout, forwardConnectTimeout, forwardRateMax,
        forwardAttemptsMax, forwardRefusalsMax, forwardAgeMax, forwardBackoffMin,
        forwardBackoffMax, forwardBatchMax, forwardBatchBytesMax, forwardSplit, forwardStatuses,
        forwardHeaders, routes, retainDelivered,
    ]

    // ---------- the lake pool

    /// Where objects go.
    public static let lakeURL = ConfigurationKey(
        "LAKE_URL", .default("file:var/lake"),
        help: "file:PATH, s3://bucket/prefix or firehose://stream")
    /// Longest time a batch stays open.
    public static let lakeBatchAgeMax = ConfigurationKey(
        "LAKE_BATCH_AGE_MAX", .default("60s"),
        help: "a batch is closed at the latest this long after its first status came in")
    /// Largest batch.
    public static let lakeBatchBytesMax = ConfigurationKey(
        "LAKE_BATCH_BYTES_MAX", .default("64MiB"),
        help: "or when it has so many bytes, before compression")
    /// How objects are compressed.
    public static let lakeCompression = ConfigurationKey(
        "LAKE_COMPRESSION", .default("gzip"), help: "gzip or none")
    /// Longest wait for a lake that is down.
    public static let lakeBackoffMax = ConfigurationKey(
        "LAKE_BACKOFF_MAX", .default("5m"), help: "the longest wait while the lake is down")
    /// How a bucket's name gets into an address.
    public static let lakeS3Addressing = ConfigurationKey(
        "LAKE_S3_ADDRESSING", .default("auto"),
        help: "auto, path (https://host/bucket) or virtual (https://bucket.host)")
    /// How objects are encrypted in their bucket.
    public static let lakeS3SSE = ConfigurationKey(
        "LAKE_S3_SSE", .optional,
        help: "AES256, aws:kms or aws:kms:dsse; the bucket's own choice where not given")
    /// The key they are encrypted with.
    public static let lakeS3SSEKMSKeyID = ConfigurationKey(
        "LAKE_S3_SSE_KMS_KEY_ID", .optional,
        help: "the KMS key for that, its ARN say; Amazon's own where not given")
    /// The storage class of objects.
    public static let lakeS3StorageClass = ConfigurationKey(
        "LAKE_S3_STORAGE_CLASS", .optional,
        help: "the storage class of new objects, STANDARD_IA say")
    /// Whose bucket it has to be.
    public static let lakeS3BucketOwner = ConfigurationKey(
        "LAKE_S3_BUCKET_OWNER", .optional,
        help: "the account that must own the bucket; any other is refused")
    /// How long doubles are known.
    public static let dedupWindow = ConfigurationKey(
        "DEDUP_WINDOW", .default("8d"),
        help: "how long a status or message is remembered, to know its double")
    /// Where workers shows its metrics.
    public static let workersAdminListen = ConfigurationKey(
        "WORKERS_ADMIN_LISTEN", .default("127.0.0.1:9081"),
        help: "/metrics, /healthz and /readyz of workers; not for the internet")

    static let lakeKeys = [
        lakeURL, lakeBatchAgeMax, lakeBatchBytesMax, lakeCompression, lakeBackoffMax,
        lakeS3Addressing, lakeS3SSE, lakeS3SSEKMSKeyID, lakeS3StorageClass, lakeS3BucketOwner,
        dedupWindow, workersAdminListen,
    ]
}
