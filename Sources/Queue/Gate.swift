import Base
import CLinux
import Dispatch
import Glibc
import Synchronization

/// The gate that every commit and every checkpoint passes, in all programs that share a queue.
///
/// SQLite before 3.51.3 can lose committed pages when a checkpoint of one process races with a
/// commit of another (https://www.sqlite.org/wal.html#the_wal_reset_bug). The gate makes that race
/// impossible: only its holder writes or checkpoints. `flock` alone is not fair: a holder that
/// locks again at once starves a waiter. So there are two files: a waiter holds *turn* while it
/// waits for *gate*, and whoever comes later queues behind it on *turn*.
///
///     lock turn ─▶ lock gate ─▶ unlock turn ─▶ write ─▶ unlock gate
///
/// One `Gate` per process and queue: `flock` belongs to the open file, so two of them in one
/// process would wait for each other across threads just as two processes do, but without this
/// type's in-process order. Nobody holds it longer than about 10 ms plus its syncs.
public final class Gate: Sendable {
    /// Told of each pass how long it waited and how long it held the gate.
    ///
    /// Runs on the thread that unlocks, after the gate is free.
    public typealias Observer = @Sendable (_ waited: Duration, _ held: Duration) -> Void

    private let turn: Descriptor
    private let gate: Descriptor
    private let observer: Observer?
    /// In front of the files, for the threads of this process; a semaphore, since one thread may
    /// unlock what another has locked.
    private let threads = DispatchSemaphore(value: 1)
    /// Written and read only by whoever holds `threads`.
    private nonisolated(unsafe) var waited = Duration.zero
    private nonisolated(unsafe) var heldSince = Duration.zero
    private let isTaken = Atomic<Bool>(false)

    /// Whether a thread of this process holds the gate; every commit and checkpoint asks.
    var isHeld: Bool { isTaken.load(ordering: .acquiring) }

    init(turn: consuming Descriptor, gate: consuming Descriptor, observer: Observer?) {
        self.turn = turn
        self.gate = gate
        self.observer = observer
    }

    /// Opens the gate of a queue; the queue's directory must exist.
    ///
    /// - Throws: ``QueueError/file(_:)``.
    public static func open(
        _ location: QueueLocation,
        observer: Observer? = nil
    ) throws(QueueError) -> Gate {
        Gate(
            turn: try openLockFile(location.turnPath),
            gate: try openLockFile(location.gatePath),
            observer: observer
        )
    }

    private static func openLockFile(_ path: String) throws(QueueError) -> Descriptor {
        do throws(SystemError) {
            let raw = try systemCall("open", path: path) {
                Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            }
            return Descriptor(adopting: raw)
        } catch {
            throw .file(error)
        }
    }

    /// Blocks until the gate is this caller's; waiters are served in the order of their coming.
    public func lock() {
        let start = MonotonicClock.now()
        threads.wait()
        Self.wait(for: turn.rawValue)
        Self.wait(for: gate.rawValue)
        flock(turn.rawValue, LOCK_UN)
        opened(after: start)
    }

    /// Takes the gate where nobody holds it and nobody waits for it; never blocks.
    public func tryLock() -> Bool {
        guard threads.wait(timeout: .now()) == .success else { return false }
        guard flock(turn.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            threads.signal()
            return false
        }
        let isOurs = flock(gate.rawValue, LOCK_EX | LOCK_NB) == 0
        flock(turn.rawValue, LOCK_UN)
        guard isOurs else {
            threads.signal()
            return false
        }
        opened(after: nil)
        return true
    }

    /// Gives the gate up; any thread may do it for the one that locked it.
    public func unlock() {
        let (waited, held) = (waited, MonotonicClock.now() - heldSince)
        isTaken.store(false, ordering: .releasing)
        flock(gate.rawValue, LOCK_UN)
        threads.signal()
        observer?(waited, held)
    }

    /// Tells whoever waits for a change, in whichever process, that a commit can be seen now.
    ///
    /// One byte that nobody reads: inotify reports the write. Where it fails, the watchers' own net
    /// finds the change within a second.
    func announceCommit() {
        var byte: UInt8 = 0
        _ = pwrite(gate.rawValue, &byte, 1, 0)
    }

    /// Notes the last webhook that was stored and synced, where a lost WAL does not take it along.
    ///
    /// The write wakes the watchers, as ``announceCommit()`` does.
    ///
    /// Not synced: after a power loss it may be older than the queue, never newer.
    func noteLastWebhook(_ id: Int64, of queueID: String) {
        let note = LastWebhookNote(queueID: queueID, id: id).bytes
        _ = pwrite(gate.rawValue, note, note.count, LastWebhookNote.offset)
    }

    private func opened(after start: Duration?) {
        isTaken.store(true, ordering: .releasing)
        heldSince = MonotonicClock.now()
        waited = start.map { heldSince - $0 } ?? .zero
    }

    private static func wait(for descriptor: Int32) {
        while flock(descriptor, LOCK_EX) != 0 {
            // EINTR is the only error left for an open file; ENOLCK would mean the kernel is out of
            // memory for locks, and going on without the gate could lose data.
            precondition(errno == EINTR, "flock on the gate failed")
        }
    }
}
