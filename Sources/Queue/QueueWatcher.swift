import Base
import CLinux
import Glibc

/// Wakes one thread when the queue changes, in whichever process, or when a colleague calls.
///
/// Whoever has committed writes to the gate's file, and inotify tells. (The WAL itself tells too
/// soon: its frames are written before the sync, and the commit can be seen only after it.) A watch
/// fires once and must be armed again, so that a busy queue does not flood a busy reader:
///
///     arm ─▶ look ─▶ nothing to do ─▶ wait ─▶ arm ─▶ look …
///
/// A change between arming and looking is seen by the look; one after it ends the wait. The waits
/// are bounded besides, as a net: one second does no harm when nothing happens.
public final class QueueWatcher: Sendable {
    private let inotify: Descriptor
    private let wakeUp: WakeUp
    private let gatePath: String

    /// - Throws: ``QueueError/file(_:)`` where the kernel's limit of inotify instances is reached.
    public init(_ location: QueueLocation) throws(QueueError) {
        gatePath = location.gatePath
        do throws(SystemError) {
            inotify = Descriptor(
                adopting: try systemCall("inotify_init1") {
                    inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
                })
            wakeUp = try WakeUp()
        } catch {
            throw .file(error)
        }
    }

    /// Watches for the next change; call it before each look at the queue.
    ///
    /// A watch that cannot be set (the file is gone, the kernel's limit is reached) is left to
    /// the net of the bounded wait.
    public func arm() {
        _ = inotify_add_watch(inotify.rawValue, gatePath, UInt32(IN_MODIFY) | IN_ONESHOT)
    }

    /// Ends the current or the next wait; any thread may call it.
    public func signal() { wakeUp.signal() }

    /// Blocks until the queue changes, somebody calls ``signal()``, or the time is over.
    ///
    /// - Parameters:
    ///   - timeout: zero or more; rounded up to whole milliseconds.
    ///   - other: a descriptor of the caller's that ends the wait when it can be read.
    public func wait(atMost timeout: Duration, orReadable other: Int32? = nil) {
        let milliseconds = (timeout + .nanoseconds(999_999)).milliseconds
        var descriptors = [
            pollfd(fd: inotify.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        // EINTR and errors end the wait early, which costs one look. -1 is left out by poll.
        _ = poll(&descriptors, 3, Int32(clamping: max(0, milliseconds)))
        if descriptors[0].revents != 0 { drain() }
        if descriptors[1].revents != 0 { wakeUp.drain() }
    }

    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 8) { buffer in
            while read(inotify.rawValue, buffer.baseAddress, buffer.count) > 0 {}
        }
    }
}
