import Base
import CZlib
import Glibc

/// Finds lines in an object of the lake, or in a spool file: gzip where its name ends so.
///
/// Memory: the longest line and a piece, whatever the object's size.
struct ObjectSearch {
    private let finders: [ByteFinder]

    /// A line that is longer is passed over: none of ours is, a webhook has at most 4 MiB.
    private static let lineBytesMax = 16 * 1_048_576

    init(needles: ([UInt8], [UInt8])) {
        let both = needles.0 == needles.1 ? [needles.0] : [needles.0, needles.1]
        finders = both.map(ByteFinder.init)
    }

    /// Calls `body` with each line that holds one of the needles.
    ///
    /// - Returns: false where the file could not be read to its end.
    func lines(in path: String, _ body: ([UInt8]) -> Void) -> Bool {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return false }
        let file = Descriptor(adopting: raw)
        let gunzip = path.hasSuffix(".gz") ? Gunzip() : nil
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 262_144)
        while true {
            let count = read(file.rawValue, &piece, piece.count)
            if count == -1, errno == EINTR { continue }
            guard count >= 0 else { return false }
            if count == 0 { break }
            if let gunzip {
                guard gunzip.inflate(piece.prefix(count), into: &text) else { return false }
            } else {
                text += piece.prefix(count)
            }
            text = Array(search(text, body))
        }
        return text.isEmpty && gunzip?.isFinished ?? true
    }

    /// Searches the whole lines.
    ///
    /// - Returns: what follows the last of them.
    private func search(_ text: [UInt8], _ body: ([UInt8]) -> Void) -> ArraySlice<UInt8> {
        let newline = UInt8(ascii: "\n")
        guard let last = text.lastIndex(of: newline) else {
            return text.count > Self.lineBytesMax ? [] : text[...]
        }
        for offset in hits(in: text[...last]) {
            let start = text[..<offset].lastIndex(of: newline).map { $0 + 1 } ?? 0
            let end = text[offset...].firstIndex(of: newline) ?? last
            body(Array(text[start..<end]))
        }
        return text[(last + 1)...]
    }

    /// One offset for each line that holds a needle.
    private func hits(in text: ArraySlice<UInt8>) -> [Int] {
        var offsets: [Int] = []
        text.withUnsafeBytes { bytes in
            for finder in finders {
                var start = 0
                while let hit = finder.first(in: bytes, from: start) {
                    offsets.append(hit)
                    start = Self.lineEnd(in: bytes, from: hit)
                }
            }
        }
        return offsets.sorted()
    }

    private static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress,
            let end = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(end) - base
    }
}

/// Unpacks a gzip stream of one or more members, piece by piece.
private final class Gunzip {
    /// A bomb is not one of ours: statuses shrink to a tenth, not to a thousandth.
    private static let outputBytesMax = 64 * 1_048_576

    // zlib keeps a pointer back to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var output = [UInt8](repeating: 0, count: 262_144)
    private(set) var isFinished = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = czlib_gunzip_init(stream)
        precondition(result == Z_OK, "zlib could not begin a stream: no memory")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// - Returns: false for what is no gzip, or unpacks to more than is sane.
    func inflate(_ piece: ArraySlice<UInt8>, into text: inout [UInt8]) -> Bool {
        var input = Array(piece)
        let limit = text.count + Self.outputBytesMax
        let inputCount = UInt32(input.count)
        return input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = inputCount
            while stream.pointee.avail_in > 0 {
                if isFinished {
                    guard inflateReset(stream) == Z_OK else { return false }
                    isFinished = false
                }
                guard inflateOnce(into: &text), text.count <= limit else { return false }
            }
            return true
        }
    }

    private func inflateOnce(into text: inout [UInt8]) -> Bool {
        while true {
            let space = output.count
            let result = output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(space)
                return CZlib.inflate(stream, Z_NO_FLUSH)
            }
            text += output.prefix(space - Int(stream.pointee.avail_out))
            if result == Z_STREAM_END {
                isFinished = true
                return true
            }
            // No more room to write, or nothing left to read: neither is an error.
            guard result == Z_OK || result == Z_BUF_ERROR else { return false }
            if stream.pointee.avail_out > 0 { return true }
        }
    }
}
