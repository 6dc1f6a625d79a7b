import Base
import Glibc

/// Writes the spool file of the open batch: lines in, the object's bytes and their hash out.
///
/// The bytes are compressed and hashed as they come, so memory does not grow with the batch. Until
/// ``publish(as:)`` the file has a passing name and is nobody's; whatever fails, the batch is given
/// up and made again from the log. Not `Sendable`: the sealer's thread owns it.
final class SpoolWriter {
    /// Lines are gathered up to this many bytes before they are compressed or written.
    private static let pendingByteCountMax = 131_072

    /// What the finished file is.
    struct Receipt: Sendable, Equatable {
        let sha256: String
        let byteCount: Int
    }

    private let directory: SpoolDirectory
    private let file: Descriptor
    private let gzip: GzipStream?
    private let digest = ObjectDigest()
    private var byteCount = 0
    private var pending: [UInt8] = []

    /// Begins the file anew, over what a batch that was given up may have left.
    init(
        in directory: SpoolDirectory,
        compression: ObjectCompression
    ) throws(SystemError) {
        self.directory = directory
        let path = directory.openPath
        let descriptor = try systemCall("open", path: path) {
            open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        file = Descriptor(adopting: descriptor)
        switch compression {
        case .gzip: gzip = GzipStream(level: Self.gzipLevel)
        case .none: gzip = nil
        }
        pending.reserveCapacity(Self.pendingByteCountMax)
    }

    /// Adds whole lines.
    func append(_ lines: [UInt8]) throws(SystemError) {
        pending.append(contentsOf: lines)
        if pending.count >= Self.pendingByteCountMax { try flush() }
    }

    /// Writes all that is left and syncs the file; nothing may be appended after it.
    func finish() throws(SystemError) -> Receipt {
        try flush()
        try gzip?.finish { (bytes) throws(SystemError) in try self.write(bytes) }
        try systemCall("fsync", path: directory.openPath) { fsync(self.file.rawValue) }
        return Receipt(sha256: digest.finishHex(), byteCount: byteCount)
    }

    /// Gives the finished file the name of its object, durably.
    func publish(as objectName: String) throws(SystemError) {
        let (source, target) = (directory.openPath, directory.path(ofObject: objectName))
        try systemCall("rename", path: target) { rename(source, target) }
        try DurableFile.syncDirectory(directory.path)
    }

    private func flush() throws(SystemError) {
        let lines = pending
        pending.removeAll(keepingCapacity: true)
        let result = lines.withUnsafeBytes { bytes -> Result<Void, SystemError> in
            Result { () throws(SystemError) in
                guard let gzip = self.gzip else { return try self.write(bytes) }
                try gzip.write(bytes) { (piece) throws(SystemError) in try self.write(piece) }
            }
        }
        try result.get()
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        digest.update(bytes)
        byteCount += bytes.count
        var offset = 0
        while offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            offset += try systemCall("write", path: directory.openPath) {
                Glibc.write(self.file.rawValue, rest.baseAddress, rest.count)
            }
        }
    }
}

extension SpoolWriter {
    /// Chosen by measuring lines of 378 bytes on one core: level 1 took 1.8 µs and 80 bytes a
    /// status, 3 1.9 µs and 78, 4 2.7 µs and 76, 6 3.6 µs and 73.
    static let gzipLevel: Int32 = 3
}
