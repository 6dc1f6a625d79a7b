import Base
import Glibc

/// Room on disk for what does not fit into memory: gone with the process, however it ends.
final class SpillFile {
    private let descriptor: Descriptor
    private let path: String
    /// How much stands in it.
    private(set) var byteCount = 0

    /// Makes an empty file without a name in `directory`.
    init(in directory: String) throws(SystemError) {
        path = directory
        var template = Array("\(directory)/pipelinectl-XXXXXX".utf8CString)
        let raw = try systemCall("mkstemp", path: directory) { mkstemp(&template) }
        descriptor = Descriptor(adopting: raw)
        unlink(template)
    }

    /// Appends bytes; their offset is ``byteCount`` as it was before.
    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = UnsafeRawBufferPointer(rebasing: rest)
            let count = try systemCall("pwrite", path: path) {
                pwrite(descriptor.rawValue, chunk.baseAddress, chunk.count, byteCount)
            }
            byteCount += count
            rest = rest.dropFirst(count)
        }
    }

    /// Fills `bytes` with what stands at `offset`; all of it was appended before.
    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = try systemCall("pread", path: path) {
                pread(
                    descriptor.rawValue, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                    offset + done)
            }
            precondition(count > 0, "what was spilled is there")
            done += count
        }
    }
}
