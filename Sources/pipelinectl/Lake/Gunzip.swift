import CZlib

/// Unpacks a gzip stream of one or more members, piece by piece.
///
/// Memory: zlib's 32 KiB window and an output buffer, whatever the input. Not `Sendable`.
final class Gunzip {
    // zlib keeps a pointer back to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer
    /// Whether the last member is whole.
    private(set) var isFinished = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(byteCount: 262_144, alignment: 16)
        let result = czlib_gunzip_init(stream)
        precondition(result == Z_OK, "zlib could not begin a stream: no memory")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        output.deallocate()
    }

    /// Unpacks the next piece; `body` gets what came out of it.
    ///
    /// - Returns: false for what is no gzip; nothing may follow then.
    func feed(
        _ piece: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        let start = piece.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(piece.count)
        while stream.pointee.avail_in > 0 {
            if isFinished {
                guard inflateReset(stream) == Z_OK else { return false }
                isFinished = false
            }
            guard inflateMember(body) else { return false }
        }
        return true
    }

    /// Unpacks until the piece is used up, or the member ends.
    private func inflateMember(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        while true {
            stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let result = CZlib.inflate(stream, Z_NO_FLUSH)
            let count = output.count - Int(stream.pointee.avail_out)
            if count > 0 { body(UnsafeRawBufferPointer(rebasing: output.prefix(count))) }
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
