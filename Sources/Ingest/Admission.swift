import Base
import Queue

/// Decides whether webhooks may be taken: refused early, before the disk is full.
struct Admission {
    let location: QueueLocation
    let diskFreeBytesMin: Int
    /// 0: no limit.
    let queueBytesMax: Int
    /// What the WAL may occupy without counting: its file keeps its size when it is empty again.
    let walBytesOrdinary: Int

    /// Free pages of the database file, in bytes; SQLite files do not shrink, so a drained queue
    /// has room that no `stat` shows.
    var freeBytesInside: () -> Int

    /// Why no webhook may be taken at this moment, if so.
    func refusal() -> Refusal? {
        let inside = freeBytesInside()
        if let free = FileFacts.freeByteCount(at: location.directory),
            free + inside < diskFreeBytesMin
        {
            return .disk
        }
        guard queueBytesMax > 0 else { return nil }
        let walExcess = max(0, FileFacts.byteCount(location.walPath) - walBytesOrdinary)
        let used = FileFacts.byteCount(location.path) + walExcess - inside
        return used > queueBytesMax ? .queue : nil
    }
}
