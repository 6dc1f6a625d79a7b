import Base
import CLinux
import Glibc

/// An epoll set.
struct Poller: ~Copyable {
    private let descriptor: Descriptor

    init() throws(SystemError) {
        descriptor = Descriptor(
            adopting: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        )
    }

    /// Watches for bytes to read, level-triggered: reported as long as there are any.
    func add(_ watched: Int32, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, watched, EPOLLIN.rawValue, token)
    }

    /// Watches everything about a connection, edge-triggered: each change is reported once.
    func addConnection(_ watched: Int32, token: UInt64) throws(SystemError) {
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
        try control(EPOLL_CTL_ADD, watched, events | clinux_epollet(), token)
    }

    /// Watches no more, or again, for bytes to read.
    func set(_ watched: Int32, token: UInt64, isWatched: Bool) throws(SystemError) {
        try control(EPOLL_CTL_MOD, watched, isWatched ? EPOLLIN.rawValue : 0, token)
    }

    func remove(_ watched: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, watched, 0, 0)
    }

    /// Waits for events.
    ///
    /// - Parameters:
    ///   - events: where they are written.
    ///   - timeout: in milliseconds; -1 waits for ever.
    /// - Returns: how many there are; 0 also when a signal interrupted the wait.
    func wait(_ events: UnsafeMutableBufferPointer<epoll_event>, timeout: Int32) -> Int {
        let count = epoll_wait(
            descriptor.rawValue, events.baseAddress, Int32(events.count), timeout
        )
        precondition(count >= 0 || errno == EINTR, "epoll_wait failed on a valid set")
        return max(0, Int(count))
    }

    private func control(
        _ operation: Int32,
        _ watched: Int32,
        _ events: UInt32,
        _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        try systemCall("epoll_ctl") {
            epoll_ctl(descriptor.rawValue, operation, watched, &event)
        }
    }
}

/// The loop's clock: nanoseconds of CLOCK_MONOTONIC.
enum LoopClock {
    @inline(__always)
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole nanoseconds; for the limits of a server, which are far from overflowing.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
