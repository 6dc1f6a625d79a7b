import CLinux
import Glibc

/// Turns SIGTERM and SIGINT into something a loop can wait for (signalfd).
///
/// Made first thing in `main`, before there is another thread: it blocks both signals in the
/// calling thread, and threads inherit that; in a thread made earlier they would still kill the
/// process. SIGPIPE is ignored in the whole process, so that a peer that has gone is an error of
/// the write and not the end.
public final class SignalWatcher: Sendable {
    private let signals: Descriptor

    /// Blocks the signals in the calling thread and opens the descriptor.
    ///
    /// - Throws: ``SystemError`` where the process has no descriptor left.
    public init() throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        signals = Descriptor(
            adopting: try systemCall("signalfd") {
                signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
            }
        )
    }

    /// Readable while a signal waits, for `epoll`; owned by this object.
    public var descriptor: Int32 { signals.rawValue }

    /// Takes a signal that waits, without blocking.
    ///
    /// - Returns: `SIGTERM` or `SIGINT`, `nil` when none waits.
    public func next() -> Int32? {
        var received = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(signals.rawValue, &received, size) == size else { return nil }
        return Int32(bitPattern: received.ssi_signo)
    }

    /// Blocks until one of the signals comes.
    ///
    /// - Returns: `SIGTERM` or `SIGINT`.
    public func wait() -> Int32 {
        while true {
            if let signal = next() { return signal }
            _ = Poll.wait(signals.rawValue, for: POLLIN, timeout: nil)
        }
    }
}
