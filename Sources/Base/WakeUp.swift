import CLinux
import Glibc

/// Wakes a thread that waits, by a descriptor that `poll` and `epoll` can watch (eventfd).
///
/// Signals add up: any number of them before a wait is one wake. Any thread may call anything.
public final class WakeUp: Sendable {
    private let event: Descriptor

    /// Opens the descriptor.
    ///
    /// - Throws: ``SystemError`` where the process has no descriptor left.
    public init() throws(SystemError) {
        event = Descriptor(
            adopting: try systemCall("eventfd") {
                eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
            }
        )
    }

    /// Readable while a signal waits; owned by this object, so not to be closed or kept beyond it.
    public var descriptor: Int32 { event.rawValue }

    /// Wakes who waits, or who waits next; never blocks.
    public func signal() {
        var one: UInt64 = 1
        // EAGAIN alone can happen: the counter is full, so the descriptor is readable anyway.
        _ = write(event.rawValue, &one, 8)
    }

    /// Takes what has been signalled, so that the descriptor is no longer readable.
    public func drain() {
        var count: UInt64 = 0
        _ = read(event.rawValue, &count, 8)
    }

    /// Blocks until a signal comes, and takes it.
    ///
    /// - Parameter timeout: the longest wait; `nil` waits for ever, zero only looks.
    /// - Returns: `false` when the time passed without a signal.
    public func wait(timeout: Duration?) -> Bool {
        guard Poll.wait(event.rawValue, for: POLLIN, timeout: timeout) else { return false }
        drain()
        return true
    }
}

/// Waits on descriptors, with the time that is left after an interruption.
enum Poll {
    /// Blocks until a descriptor can be read or written, or has failed.
    ///
    /// - Parameters:
    ///   - descriptor: an open one.
    ///   - events: `POLLIN` or `POLLOUT`.
    ///   - timeout: `nil` waits for ever.
    /// - Returns: `false` when the time passed.
    static func wait(_ descriptor: Int32, for events: Int32, timeout: Duration?) -> Bool {
        wait([pollfd(fd: descriptor, events: Int16(events), revents: 0)], timeout: timeout) != nil
    }

    /// Blocks until one of several is ready.
    ///
    /// - Parameters:
    ///   - waits: descriptors and events; looked at in this order.
    ///   - timeout: `nil` waits for ever.
    /// - Returns: the index of the first that is ready; `nil` when the time passed.
    static func wait(_ waits: [pollfd], timeout: Duration?) -> Int? {
        let deadline = timeout.map { MonotonicClock.now() + $0 }
        var waits = waits
        while true {
            let count = poll(&waits, nfds_t(waits.count), milliseconds(until: deadline))
            if count > 0 { return waits.firstIndex { $0.revents != 0 } }
            guard count < 0 || milliseconds(until: deadline) > 0 else { return nil }
            precondition(count == 0 || errno == EINTR, "poll: \(String(cString: strerror(errno)))")
        }
    }

    /// Rounded up, so that a rest below a millisecond is not spent turning in a circle.
    private static func milliseconds(until deadline: Duration?) -> Int32 {
        guard let deadline else { return -1 }
        let rest = deadline - MonotonicClock.now()
        guard rest > .zero else { return 0 }
        return Int32(clamping: (rest + .nanoseconds(999_999)).milliseconds)
    }
}
