import Queue

/// When the WAL is copied into the database, and when its file is cut.
///
/// Pure.
///
/// A WAL file keeps its size when it is written from its start again, so the size of the file alone
/// does not say how much of it is in use: only a file that has grown since the last checkpoint
/// does.
struct CheckpointRule: Sendable, Equatable {
    /// Above this many bytes in use the WAL is copied.
    let byteCountMax: Int
    /// The file is cut where it has outgrown the limit this many times, behind a long reader say.
    static let truncateFactor = 4

    /// The size of the file after the last complete checkpoint.
    private(set) var settledByteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// How to checkpoint now, or nil where the WAL may grow on.
    ///
    /// - Parameters:
    ///   - fileByteCount: size of the WAL file.
    ///   - usedByteCount: bytes in use after this connection's last commit.
    /// - Returns: the mode, if any.
    func mode(fileByteCount: Int, usedByteCount: Int) -> CheckpointMode? {
        let isOver =
            usedByteCount > byteCountMax || fileByteCount > max(byteCountMax, settledByteCount)
        guard isOver else { return nil }
        return fileByteCount > byteCountMax * Self.truncateFactor ? .truncate : .restart
    }

    /// Learns what a checkpoint reached.
    mutating func ran(isIncomplete: Bool, fileByteCount: Int) {
        if !isIncomplete { settledByteCount = fileByteCount }
    }
}
