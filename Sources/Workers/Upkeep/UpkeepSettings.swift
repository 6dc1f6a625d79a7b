import Base

/// What the upkeep thread is told by its configuration.
struct UpkeepSettings: Sendable {
    /// `RETAIN_DELIVERED`.
    var retainDelivered: Duration = .seconds(7 * 86_400)
    /// `DEDUP_WINDOW`.
    var dedupWindow: Duration = .seconds(8 * 86_400)
    /// `DISK_FREE_BYTES_MIN`, in bytes; 0: none.
    var diskFreeBytesMin = 268_435_456
    /// `QUEUE_BYTES_MAX`, in bytes; 0: none.
    var queueBytesMax = 0
    /// `WAL_BYTES_MAX`: above it the WAL is copied into the database.
    var walBytesMax = 16_777_216
    /// How long the books keep batches that are in the lake, to verify the lake by.
    var retainShipped: Duration = .seconds(90 * 86_400)
}
