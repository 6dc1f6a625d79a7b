import Base
import CLinux
import Glibc

/// A file whose only use is to go: its space lets the workers drain the queue on a full disk, where
/// deletes and checkpoints fail too.
///
/// It is a quarter of the reserve, and goes when half of the reserve is gone: so giving it up
/// never lifts free space above the reserve, which would let ingest take webhooks again.
struct Ballast: Sendable {
    let path: String
    /// `DISK_FREE_BYTES_MIN`; 0 means no reserve, and no ballast.
    let reserveByteCount: Int

    var byteCount: Int { reserveByteCount / 4 }

    /// What is to be done about it.
    enum Step: Sendable, Equatable {
        case keep
        case giveUp
        case make
    }

    /// Decides by the room on the disk; pure.
    ///
    /// - Parameters:
    ///   - freeByteCount: free on the disk.
    ///   - isThere: the ballast has its full size.
    /// - Returns: what to do now.
    func step(freeByteCount: Int, isThere: Bool) -> Step {
        guard byteCount > 0 else { return .keep }
        if isThere { return freeByteCount < reserveByteCount / 2 ? .giveUp : .keep }
        // After making it there is still a quarter above the reserve: it does not come and go.
        return freeByteCount >= reserveByteCount + 2 * byteCount ? .make : .keep
    }

    /// Whether the file is there in full.
    var isThere: Bool {
        var status = stat()
        return stat(path, &status) == 0 && Int(status.st_size) >= byteCount
    }

    /// Removes the file.
    func giveUp() throws(SystemError) { try DurableFile.remove(path) }

    /// Makes the file, with its blocks.
    ///
    /// Not synced: after a power cut it is made again.
    func make() throws(SystemError) {
        let file = Descriptor(
            adopting: try systemCall("open", path: path) {
                open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            })
        // posix_fallocate returns the error instead of setting errno.
        let code = posix_fallocate(file.rawValue, 0, off_t(byteCount))
        guard code == 0 else {
            unlink(path)
            throw SystemError(call: "posix_fallocate", code: code, path: path)
        }
    }
}
