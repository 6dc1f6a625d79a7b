import Base
import Glibc

/// Copies a file of which parts may be unreadable: those become zeros, and are reported.
enum DamagedFile {
    private static let pieceByteCount = 1 << 20
    /// What a disk refuses is refused in blocks of this size.
    private static let blockByteCount = 4_096

    /// Copies `path` to a new file.
    ///
    /// - Returns: ranges of bytes that the disk refused to give.
    /// - Throws: ``SystemError`` where the file cannot be opened, or the copy not be written.
    static func copy(_ path: String, to target: String) throws(SystemError) -> [Range<Int>] {
        let source = Descriptor(
            adopting: try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) })
        let copy = Descriptor(
            adopting: try systemCall("open", path: target) {
                open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            })
        let byteCount = Int(lseek(source.rawValue, 0, SEEK_END))
        var refused: [Range<Int>] = []
        var offset = 0
        var buffer = [UInt8](repeating: 0, count: pieceByteCount)
        while offset < byteCount {
            let wanted = min(pieceByteCount, byteCount - offset)
            let count = pread(source.rawValue, &buffer, wanted, off_t(offset))
            if count == -1, errno == EINTR { continue }
            if count > 0 {
                try write(buffer.prefix(count), at: offset, to: copy.rawValue, path: target)
                offset += count
                continue
            }
            guard count == -1 else { break }
            // Block by block through a piece that holds something unreadable.
            let end = offset + wanted
            while offset < end {
                let size = min(blockByteCount, end - offset)
                let count = pread(source.rawValue, &buffer, size, off_t(offset))
                if count > 0 {
                    try write(buffer.prefix(count), at: offset, to: copy.rawValue, path: target)
                } else {
                    refused.append(offset..<offset + size)
                }
                offset += size
            }
        }
        try systemCall("ftruncate", path: target) { ftruncate(copy.rawValue, off_t(byteCount)) }
        return refused
    }

    private static func write(
        _ bytes: ArraySlice<UInt8>,
        at start: Int,
        to descriptor: Int32,
        path: String
    ) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let offset = off_t(start + bytes.count - rest.count)
            let count = try systemCall("pwrite", path: path) {
                rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, offset) }
            }
            rest = rest.dropFirst(count)
        }
    }
}
