import AWS
import Base

/// What the lake pool is told by its configuration.
struct LakeSettings: Sendable {
    /// `LAKE_URL`.
    var lake: LakeAddress
    /// The `AWS_` keys; nil for a directory.
    var aws: AWSSettings?
    /// The `LAKE_S3_` keys; nil but for a bucket.
    var s3: S3Settings?
    /// `LAKE_BATCH_BYTES_MAX`, `LAKE_BATCH_AGE_MAX`.
    var rules = BatchRules()
    /// `LAKE_COMPRESSION`.
    var compression = ObjectCompression.gzip
    /// `LAKE_BACKOFF_MAX`.
    var backoff = LakeBackoff()
    /// `DEDUP_WINDOW`.
    var dedupWindow: Duration = .seconds(8 * 86_400)
    /// `DISK_FREE_BYTES_MIN`, in bytes.
    var diskFreeBytesMin = 268_435_456
}
