import Base
import Glibc
import Queue
import WhatsApp

/// The spool file of a sealed batch, read to its end and compared with what the books say of it.
enum BatchFile {
    /// What was found under its name.
    enum State: Equatable {
        case whole
        case missing
        /// Other bytes than were sealed.
        case differs
    }

    /// Reads the file of a batch; blocks for as long as the disk takes.
    static func state(of batch: SealedBatch, at path: String) throws(SystemError) -> State {
        try read(batch, at: path) { (_) throws(SystemError) in }
    }

    /// Copies the file of a batch, durable once this returns `whole`; else nothing is left behind.
    ///
    /// - Parameters:
    ///   - batch: as the books have it.
    ///   - path: its file.
    ///   - target: in a directory that exists; what stands there is kept where it is whole.
    /// - Returns: what was found at `path`, or that `target` is whole already.
    /// - Throws: ``SystemError``.
    static func copy(
        _ batch: SealedBatch,
        from path: String,
        to target: String
    ) throws(SystemError) -> State {
        if try state(of: batch, at: target) == .whole { return .whole }
        try DurableFile.remove(target)
        let file = try NewFile(target)
        let state = try read(batch, at: path) { (piece) throws(SystemError) in
            try file.write(piece)
        }
        if state == .whole { try file.finish() }
        return state
    }

    private static func read(
        _ batch: SealedBatch,
        at path: String,
        _ take: ([UInt8]) throws(SystemError) -> Void
    ) throws(SystemError) -> State {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard raw >= 0 else {
            guard errno == ENOENT else {
                throw SystemError(call: "open", code: errno, path: path)
            }
            return .missing
        }
        let file = Descriptor(adopting: raw)
        let digest = ContentDigest()
        var buffer = [UInt8](repeating: 0, count: 262_144)
        var byteCount = 0
        while true {
            let count = try systemCall("read", path: path) {
                Glibc.read(file.rawValue, &buffer, buffer.count)
            }
            guard count > 0 else { break }
            byteCount += count
            buffer.withUnsafeBytes { digest.update(.init(rebasing: $0.prefix(count))) }
            try take(Array(buffer.prefix(count)))
        }
        return byteCount == batch.byteCount && digest.finish() == batch.sha256 ? .whole : .differs
    }
}
