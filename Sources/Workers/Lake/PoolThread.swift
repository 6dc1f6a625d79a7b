import Base
import Dispatch
import Foundation

/// A thread with a name that can be waited for.
final class PoolThread: Sendable {
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Starts a thread that runs `body` once.
    init(name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [hasEnded] in
            body()
            hasEnded.signal()
        }
        thread.name = name
        thread.start()
    }

    /// Blocks until the thread has ended; to be called once.
    func join() { hasEnded.wait() }

    /// Blocks for at most `duration`.
    ///
    /// - Returns: whether the thread has ended; then it must not be joined again.
    func join(within duration: Duration) -> Bool {
        let milliseconds = Int(duration.milliseconds)
        return hasEnded.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
    }
}
