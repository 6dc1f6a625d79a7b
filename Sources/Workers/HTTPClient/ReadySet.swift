import Base
import CLinux
import Glibc

/// An epoll set that reports each change of a socket once (edge-triggered).
struct ReadySet: ~Copyable {
    /// What happened to one socket.
    struct Change {
        let token: UInt64
        /// The other side has ended or the socket has failed: reading on says which.
        let isEnding: Bool
    }

    private let epoll: Descriptor

    init() throws(SystemError) {
        epoll = Descriptor(
            adopting: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// Readable while a change waits; owned by this set.
    var descriptor: Int32 { epoll.rawValue }

    /// Watches everything about a socket until it is closed.
    func add(_ socket: Int32, token: UInt64) throws(SystemError) {
        var event = epoll_event()
        event.events =
            EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | clinux_epollet()
        event.data.u64 = token
        try systemCall("epoll_ctl") {
            epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, socket, &event)
        }
    }

    /// The changes that wait, at most 256 at once; never blocks.
    func changes() -> [Change] {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 256) { events in
            let count = epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), 0)
            precondition(count >= 0 || errno == EINTR, "epoll_wait failed on a valid set")
            let ending = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
            return (0..<max(0, Int(count))).map { index in
                Change(
                    token: events[index].data.u64, isEnding: events[index].events & ending != 0)
            }
        }
    }
}
