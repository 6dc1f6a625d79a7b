import Base
import Glibc

/// Makes the WAL file longer ahead of the commits that will fill it.
///
/// A commit that lengthens the file costs its sync a write of the file system's journal, since the
/// new size is metadata; one that overwrites what is there does not. (Measured on ext4: 35,000
/// webhooks a second while the file grew, 68,000 into a file that was long enough.) So its owner
/// writes zeros beyond the end, some mebibytes at a time, instead of some pages at each commit.
///
/// SQLite reads the WAL up to the first frame whose salt and checksum do not match its header's,
/// and zeros never match: https://www.sqlite.org/fileformat2.html#wal_file_format. The zeros need
/// no sync of their own; the next commit's covers them, and losing them loses nothing. SQLite's
/// locks stand on the database and the shared-memory file, none on the WAL, so opening and closing
/// it here drops none.
public struct WALRoom {
    private let path: String
    private let byteCountMax: Int
    /// What the file held when it was last looked at.
    private var fileByteCount = 0
    private var lastUsedByteCount = 0

    /// Written at a time: few enough for a short stop, many enough to be rare.
    static let stepByteCount = 8 << 20
    /// Wanted in front of the last frame: the largest group of webhooks, and its index pages.
    static let aheadByteCount = 9 << 20

    /// - Parameters:
    ///   - location: whose WAL.
    ///   - byteCountMax: the file is never made longer than this; commits may still lengthen it.
    public init(_ location: QueueLocation, byteCountMax: Int) {
        path = location.walPath
        self.byteCountMax = byteCountMax
    }

    /// Whether ``makeHoldingGate(usedByteCount:)`` may have something to do.
    ///
    /// - Parameter usedByteCount: bytes of the file that hold frames.
    /// - Returns: false as long as the file is known to be long enough.
    public func isShort(usedByteCount: Int) -> Bool {
        usedByteCount < lastUsedByteCount
            || min(usedByteCount + Self.aheadByteCount, byteCountMax) > fileByteCount
    }

    /// Lengthens the file where the frames come near its end.
    ///
    /// The caller holds the gate: beyond the last frame nobody else writes then. Blocks for writing
    /// ``stepByteCount`` into the page cache at most.
    ///
    /// - Parameter usedByteCount: bytes of the file that hold frames.
    /// - Throws: ``SystemError``; the queue is as sound as before, and only slower.
    public mutating func makeHoldingGate(usedByteCount: Int) throws(SystemError) {
        // The WAL began anew, and may have been cut.
        if usedByteCount < lastUsedByteCount { fileByteCount = 0 }
        lastUsedByteCount = usedByteCount
        let wanted = min(usedByteCount + Self.aheadByteCount, byteCountMax)
        guard wanted > fileByteCount else { return }
        fileByteCount = FileFacts.byteCount(path)
        guard wanted > fileByteCount, fileByteCount > 0 else { return }
        fileByteCount = try append(min(Self.stepByteCount, byteCountMax - fileByteCount))
    }

    private func append(_ byteCount: Int) throws(SystemError) -> Int {
        let file = Descriptor(
            adopting: try systemCall("open", path: path) { open(path, O_WRONLY | O_CLOEXEC) })
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4_096)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var end = fileByteCount
        while end < fileByteCount + byteCount {
            let count = min(zeros.count, fileByteCount + byteCount - end)
            let offset = off_t(end)
            end += try systemCall("pwrite", path: path) {
                pwrite(file.rawValue, zeros.baseAddress, count, offset)
            }
        }
        return end
    }
}
