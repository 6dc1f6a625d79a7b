import Glibc

/// Files that are read at once: settings, secrets, credentials.
///
/// Never the queue's database: closing any descriptor of it drops SQLite's locks on it.
public enum SmallFile {
    /// Reads a whole file; blocks while it is a pipe that is still being written.
    ///
    /// - Parameters:
    ///   - path: of a file, or of a pipe.
    ///   - byteCountMax: a longer file is refused, not cut off.
    /// - Returns: its content.
    /// - Throws: ``SystemError``, with `EFBIG` for a file that is too long.
    public static func read(_ path: String, byteCountMax: Int) throws(SystemError) -> [UInt8] {
        let file = Descriptor(
            adopting: try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) }
        )
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = try systemCall("read", path: path) {
                Glibc.read(file.rawValue, &buffer, buffer.count)
            }
            guard count > 0 else { return content }
            guard content.count + count <= byteCountMax else {
                throw SystemError(call: "read", code: EFBIG, path: path)
            }
            content += buffer.prefix(count)
        }
    }
}
