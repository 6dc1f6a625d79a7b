import CLinux
import Glibc
import Synchronization

/// A lock between processes: `flock` on a file of its own, held until released or the process ends.
///
/// It belongs to the opened file, so a second ``acquire(path:)`` is refused in the same process
/// too. The kernel lets go of it however the process dies. The file stays behind, empty: removing
/// it would let two holders lock two files of one name.
public final class FileLock: Sendable {
    private let descriptor: Mutex<Descriptor?>

    private init(_ descriptor: consuming Descriptor) {
        self.descriptor = Mutex(descriptor)
    }

    /// Tries to take the lock and never waits; makes the file, readable by its owner only.
    ///
    /// - Parameter path: never a database file, since closing one drops SQLite's own locks.
    /// - Returns: `nil` while someone else holds it.
    /// - Throws: ``SystemError`` where the file cannot be opened or made.
    public static func acquire(path: String) throws(SystemError) -> FileLock? {
        let descriptor = Descriptor(
            adopting: try systemCall("open", path: path) {
                open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            }
        )
        do {
            try systemCall("flock", path: path) {
                flock(descriptor.rawValue, LOCK_EX | LOCK_NB)
            }
        } catch {
            guard error.code == EWOULDBLOCK else { throw error }
            return nil
        }
        return FileLock(descriptor)
    }

    /// Lets go of the lock; a second call does nothing.
    public func release() {
        descriptor.withLock { $0 = nil }
    }
}
