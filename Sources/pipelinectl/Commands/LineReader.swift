import Base
import Glibc

/// The lines of a file, one after the other; none of them may be longer than a limit.
final class LineReader {
    private let path: String
    private let file: Descriptor
    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(_ path: String, lineBytesMax: Int) throws(SystemError) {
        self.path = path
        self.lineBytesMax = lineBytesMax
        file = Descriptor(
            adopting: try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) })
    }

    /// The next line without its end; `nil` behind the last one.
    ///
    /// - Throws: ``SystemError``, EFBIG for a line that is too long.
    func next() throws(SystemError) -> [UInt8]? {
        var searchedCount = 0
        while true {
            let rest = buffer[(start + searchedCount)...]
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searchedCount = buffer.count - start
            guard searchedCount <= lineBytesMax else {
                throw SystemError(call: "read", code: EFBIG, path: path)
            }
            if isAtEnd {
                guard searchedCount > 0 else { return nil }
                defer { start = buffer.count }
                return Array(buffer[start...])
            }
            try fill()
        }
    }

    private func fill() throws(SystemError) {
        buffer.removeFirst(start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 262_144)
        let count = try systemCall("read", path: path) {
            read(file.rawValue, &chunk, chunk.count)
        }
        isAtEnd = count == 0
        buffer += chunk.prefix(count)
    }
}
