import Base

/// Whether the disk has room for one more batch.
///
/// Below the reserve ingest answers 503, and what drains the queue must still work: so a batch may
/// be sealed as long as none before it is still in the spool. Where the lake is down, batches would
/// fill what is left; their statuses wait in the log, which grows no more.
struct SealingRoom: Sendable {
    /// `DISK_FREE_BYTES_MIN`.
    let floor: Int
    var freeByteCount: @Sendable (_ path: String) throws(SystemError) -> Int = FreeSpace.byteCount
}
