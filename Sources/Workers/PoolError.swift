import Base
import Queue

/// Why a pool cannot start; each description is one line.
enum PoolError: Error, CustomStringConvertible {
    /// Another process, or another pool of this one, does the same work.
    case alreadyRunning(pool: String, lockPath: String)
    /// The lock file cannot be opened.
    case lock(SystemError)
    case queue(QueueError)

    var description: String {
        switch self {
        case .alreadyRunning(let pool, let lockPath):
            "another \(pool) pool works on this queue (it holds \(lockPath)): "
                + "stop it first, or start this one with --pool for the other pool"
        case .lock(let error):
            error.description
        case .queue(let error):
            error.description
        }
    }

    /// Takes the lock of a pool, or says who has it.
    static func lock(_ path: String, pool: String) throws(PoolError) -> FileLock {
        let lock: FileLock?
        do throws(SystemError) {
            lock = try FileLock.acquire(path: path)
        } catch {
            throw .lock(error)
        }
        guard let lock else { throw .alreadyRunning(pool: pool, lockPath: path) }
        return lock
    }
}
