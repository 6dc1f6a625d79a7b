import Base
import CZlib
import Glibc

/// Reads the lines of a spool file one by one, unpacking it where it is packed.
///
/// Memory: 64 KiB in, 256 KiB out and the longest line. Not `Sendable`: the shipper's thread.
final class SpoolLines {
    private static let inputByteCountMax = 65_536
    private static let outputByteCountMax = 262_144

    private let path: String
    private let file: Descriptor
    // zlib keeps a pointer back to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>?
    private let input: UnsafeMutableRawBufferPointer
    private let output: UnsafeMutableBufferPointer<UInt8>
    private var lines: [UInt8] = []
    private var offset = 0
    private var isAtEnd = false

    init(_ object: SealedObject) throws(LakeError) {
        path = object.path
        do throws(SystemError) {
            file = Descriptor(
                adopting: try systemCall("open", path: object.path) {
                    open(object.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                })
        } catch {
            throw LakeError(.unavailable, "\(error)")
        }
        input = .allocate(byteCount: Self.inputByteCountMax, alignment: 16)
        output = .allocate(capacity: Self.outputByteCountMax)
        guard object.name.hasSuffix(ObjectCompression.gzip.fileSuffix) else {
            stream = nil
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = czlib_gunzip_init(stream)
        precondition(result == Z_OK, "zlib could not begin a stream: no memory")
        self.stream = stream
    }

    deinit {
        if let stream {
            inflateEnd(stream)
            stream.deinitialize(count: 1)
            stream.deallocate()
        }
        input.deallocate()
        output.deallocate()
    }

    /// The next line with its end; nil behind the last.
    func next() throws(LakeError) -> [UInt8]? {
        while true {
            if let end = lines[offset...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { offset = end + 1 }
                return Array(lines[offset...end])
            }
            guard !isAtEnd else {
                guard offset == lines.count else { throw cutShort() }
                return nil
            }
            lines.removeFirst(offset)
            offset = 0
            try fill()
        }
    }

    private func fill() throws(LakeError) {
        let count: Int
        do throws(SystemError) {
            let descriptor = file.rawValue
            count = try systemCall("read", path: path) {
                read(descriptor, input.baseAddress, input.count)
            }
        } catch {
            throw LakeError(.unavailable, "\(error)")
        }
        isAtEnd = count == 0
        let piece = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(input)[..<count])
        guard let stream else {
            lines.append(contentsOf: piece)
            return
        }
        try inflate(piece, by: stream)
    }

    private func inflate(
        _ piece: UnsafeRawBufferPointer,
        by stream: UnsafeMutablePointer<z_stream>
    ) throws(LakeError) {
        let start = piece.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(piece.count)
        while stream.pointee.avail_in > 0 {
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let result = CZlib.inflate(stream, Z_NO_FLUSH)
            lines.append(contentsOf: output.prefix(output.count - Int(stream.pointee.avail_out)))
            if result == Z_STREAM_END { return }
            guard result == Z_OK else { throw cutShort() }
        }
    }

    private func cutShort() -> LakeError {
        LakeError(
            .spoolFault, "the spool file \(path) does not end with a whole line",
            hint: "restore it from a backup of the spool directory; it is not shipped as it is")
    }
}
