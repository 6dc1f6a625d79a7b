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
}
