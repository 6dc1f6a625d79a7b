import Base
import Glibc
import Queue

/// What a thread of the workers does when the queue fails under it.
///
/// Nothing is lost by waiting: what is not committed is done again. Only a disk that did not
/// confirm a write ends the process, since going on could build on pages that are not there.
struct QueueTrouble {
    private let log: Log
    private let name: String
    private var lastDescription: String?
    private var failureCount = 0

    /// The longest wait between two tries.
    private static let delayMax = Duration.seconds(30)

    /// Watches over one thread, whose name stands in the log.
    init(log: Log, name: String) {
        self.log = log
        self.name = name
    }

    /// Logs a failure the first time it is met.
    ///
    /// - Returns: how long to wait before the next try.
    mutating func met(_ error: QueueError) -> Duration {
        let description = error.description
        if case .syncFailed = error {
            log.error(
                "stopping: the disk did not confirm a write",
                ["thread": .string(name), "error": .string(description)])
            _exit(ExitCode.failed)
        }
        failureCount += 1
        if lastDescription != description {
            log.error(
                "queue failed, will try again",
                ["thread": .string(name), "error": .string(description)])
            lastDescription = description
        }
        return min(.seconds(1) * (1 << min(failureCount - 1, 5)), Self.delayMax)
    }

    /// The queue works.
    mutating func passed() {
        guard failureCount > 0 else { return }
        log.notice(
            "queue works again", ["thread": .string(name), "failures": .int(failureCount)])
        failureCount = 0
        lastDescription = nil
    }
}
