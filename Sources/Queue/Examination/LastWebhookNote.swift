import Base
import Glibc

/// The last webhook that was stored, as the gate's file keeps it.
///
/// A WAL that is removed, cut off, or left behind by a copy takes its commits along, and everything
/// in the queue that could tell. The note stands in another file, so that a queue which ends before
/// it is seen to have lost something. It names its queue: another file in the same place, a
/// restored backup say, is not measured by it.
struct LastWebhookNote: Equatable {
    let queueID: String
    let id: Int64

    /// Behind the byte that is written to wake the workers.
    static let offset: off_t = 16
    private static let idByteCount = 12
    private static let byteCount = idByteCount + 8

    init(queueID: String, id: Int64) {
        self.queueID = queueID
        self.id = id
    }

    var bytes: [UInt8] {
        Array(queueID.utf8.prefix(Self.idByteCount))
            + withUnsafeBytes(of: id.littleEndian) { Array($0) }
    }

    /// - Returns: nil where there is no note in the file.
    init?(gatePath: String) {
        let raw = open(gatePath, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        let file = Descriptor(adopting: raw)
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        guard pread(file.rawValue, &bytes, bytes.count, Self.offset) == bytes.count else {
            return nil
        }
        queueID = String(decoding: bytes.prefix(Self.idByteCount), as: UTF8.self)
        id = bytes.dropFirst(Self.idByteCount).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
}

extension QueueSession {
    /// How many acknowledged webhooks lie behind the end of the log: none, unless its WAL was lost.
    ///
    /// - Returns: by the note in the gate's file, which is never ahead of what was synced.
    /// - Throws: what every method of a session may throw.
    public func missingWebhookCount() throws(QueueError) -> Int {
        // The note first: what is appended meanwhile is then in the log, and not in the note.
        guard let note = LastWebhookNote(gatePath: location.gatePath), note.queueID == queueID
        else { return 0 }
        return max(0, Int(note.id - (try log.lastID().rawValue)))
    }
}
