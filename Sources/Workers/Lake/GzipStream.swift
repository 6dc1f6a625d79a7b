import Base
import CZlib

/// A gzip stream of one member, compressed as it is written.
///
/// The header's time is zero and nothing else depends on when or where it is written, so equal
/// input gives equal bytes. Memory: zlib's 256 KiB and an output buffer of 64 KiB, whatever the
/// input. Not `Sendable`: one thread writes it from the first byte to the last.
final class GzipStream {
    /// Where compressed bytes go; they are valid during the call only.
    typealias Sink = (UnsafeRawBufferPointer) throws(SystemError) -> Void

    /// Compressed bytes are handed on in pieces of at most this many.
    private static let outputByteCountMax = 65_536

    // zlib keeps a pointer back to this structure, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter level: 1 (fast) to 9 (small).
    init(level: Int32) {
        precondition((1...9).contains(level), "a gzip level is 1 to 9")
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(capacity: Self.outputByteCountMax)
        let result = czlib_gzip_init(stream, level)
        precondition(result == Z_OK, "zlib could not begin a stream: no memory")
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        output.deallocate()
    }

    /// Compresses `bytes`; what is ready goes to `sink`, the rest waits inside.
    ///
    /// - Throws: what `sink` throws; the stream is of no use after that.
    func write(_ bytes: UnsafeRawBufferPointer, to sink: Sink) throws(SystemError) {
        // avail_in is 32 bits wide; our pieces are lines of one webhook, far below that.
        precondition(bytes.count <= Int(UInt32.max), "a piece of at most 4 GiB")
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(bytes.count)
        while stream.pointee.avail_in > 0 {
            try deflateOnce(Z_NO_FLUSH, to: sink)
        }
    }

    /// Writes what is left and the trailer.
    ///
    /// Nothing may be written after it.
    func finish(to sink: Sink) throws(SystemError) {
        stream.pointee.avail_in = 0
        var result = Z_OK
        while result != Z_STREAM_END {
            result = try deflateOnce(Z_FINISH, to: sink)
        }
    }

    @discardableResult
    private func deflateOnce(_ flush: Int32, to sink: Sink) throws(SystemError) -> Int32 {
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let result = deflate(stream, flush)
        precondition(result == Z_OK || result == Z_STREAM_END, "zlib broke: \(result)")
        let byteCount = output.count - Int(stream.pointee.avail_out)
        if byteCount > 0 {
            try sink(UnsafeRawBufferPointer(start: output.baseAddress, count: byteCount))
        }
        return result
    }
}
