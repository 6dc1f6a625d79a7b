/// All connections by slot, and the lists they stand in: every operation takes constant time.
///
/// The memory for the greatest number of connections is reserved once; the system provides a page
/// when its first connection comes. Slots are used again last-in first-out, so that few pages are
/// touched. Used by one thread.
final class ConnectionTable {
    typealias Slot = Int32

    static let nothing: Slot = -1

    private struct TimerList {
        var first = nothing
        var last = nothing
    }

    let capacity: Int
    private(set) var openCount = 0
    // Owned: `capacity` elements, initialised up to `usedCount`.
    private let connections: UnsafeMutablePointer<Connection>
    private var usedCount = 0
    private var freeSlots: [Slot] = []
    /// One list for each timer.
    ///
    /// All deadlines of one list lie equally far ahead when they are set, so the list is in order
    /// when each is appended at its end.
    private var timers = Array(repeating: TimerList(), count: Connection.Timer.allCases.count)
    private var ready: SlotRing
    private var bufferLine: SlotRing

    init(capacity: Int) {
        precondition(capacity > 0, "a server takes at least one connection")
        self.capacity = capacity
        connections = .allocate(capacity: capacity)
        ready = SlotRing(capacity: capacity)
        bufferLine = SlotRing(capacity: capacity)
    }

    deinit { connections.deallocate() }

    @inline(__always)
    subscript(slot: Slot) -> UnsafeMutablePointer<Connection> { connections + Int(slot) }

    /// A fresh connection, or nil when the table is full.
    func open(_ descriptor: Int32) -> Slot? {
        let slot: Slot
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            guard usedCount < capacity else { return nil }
            slot = Slot(usedCount)
            usedCount += 1
            self[slot].initialize(to: Connection())
        }
        let generation = self[slot].pointee.generation &+ 1
        self[slot].pointee = Connection()
        self[slot].pointee.generation = generation
        self[slot].pointee.descriptor = descriptor
        openCount += 1
        return slot
    }

    /// Gives a slot back; its descriptor and memory are the caller's to release before.
    ///
    /// One that still stands in a line is used again when its turn there comes.
    func close(_ slot: Slot) {
        setTimer(slot, .none, deadline: 0)
        self[slot].pointee.descriptor = -1
        openCount -= 1
        free(slot)
    }

    fileprivate func free(_ slot: Slot) {
        guard self[slot].pointee.flags.isDisjoint(with: [.isReady, .awaitsBuffer]) else { return }
        freeSlots.append(slot)
    }

    /// The connection an event is for, or nil where it has gone meanwhile.
    func slot(of token: UInt64) -> Slot? {
        let slot = Slot(truncatingIfNeeded: token & 0xFFFF_FFFF)
        guard slot >= 0, Int(slot) < usedCount, self[slot].pointee.descriptor >= 0,
            self[slot].pointee.generation == UInt32(truncatingIfNeeded: token >> 32)
        else { return nil }
        return slot
    }

    func token(of slot: Slot) -> UInt64 {
        UInt64(self[slot].pointee.generation) << 32 | UInt64(UInt32(bitPattern: slot))
    }

    /// Every open connection, for the end of the server.
    var openSlots: [Slot] {
        (0..<Slot(usedCount)).filter { self[$0].pointee.descriptor >= 0 }
    }
}

extension ConnectionTable {
    // MARK: Timers

    /// Starts a timer instead of the one that runs.
    func setTimer(_ slot: Slot, _ timer: Connection.Timer, deadline: Int64) {
        let connection = self[slot]
        let old = connection.pointee.timer
        if old != .none { removeTimer(slot, from: Int(old.rawValue)) }
        connection.pointee.timer = timer
        guard timer != .none else { return }
        let list = Int(timer.rawValue)
        connection.pointee.deadline = deadline
        connection.pointee.timerPrevious = timers[list].last
        connection.pointee.timerNext = Self.nothing
        if timers[list].last == Self.nothing {
            timers[list].first = slot
        } else {
            self[timers[list].last].pointee.timerNext = slot
        }
        timers[list].last = slot
    }

    private func removeTimer(_ slot: Slot, from list: Int) {
        let (next, previous) = (self[slot].pointee.timerNext, self[slot].pointee.timerPrevious)
        if previous == Self.nothing {
            timers[list].first = next
        } else {
            self[previous].pointee.timerNext = next
        }
        if next == Self.nothing {
            timers[list].last = previous
        } else {
            self[next].pointee.timerPrevious = previous
        }
    }

    /// The connection whose timer of this kind ends first.
    func first(of timer: Connection.Timer) -> Slot? {
        let slot = timers[Int(timer.rawValue)].first
        return slot == Self.nothing ? nil : slot
    }

    /// The connection whose timer of the same kind ends next after this one's.
    func following(_ slot: Slot) -> Slot? {
        let next = self[slot].pointee.timerNext
        return next == Self.nothing ? nil : next
    }

    // MARK: Lines

    /// Puts a connection in line to be served; once is enough.
    @inline(__always)
    func makeReady(_ slot: Slot) {
        guard self[slot].pointee.flags.insert(.isReady).inserted else { return }
        ready.append(slot)
    }

    /// The next connection to be served, or nil.
    func nextReady() -> Slot? { next(&ready, .isReady) }

    var hasReady: Bool { ready.count > 0 }

    /// How many stand in line to be served.
    var readyCount: Int { ready.count }

    /// Puts a connection in line for buffer bytes; once is enough.
    func awaitBuffer(_ slot: Slot) {
        guard self[slot].pointee.flags.insert(.awaitsBuffer).inserted else { return }
        bufferLine.append(slot)
    }

    /// The first in line for buffer bytes, or nil.
    func nextAwaitingBuffer() -> Slot? { next(&bufferLine, .awaitsBuffer) }

    @inline(__always)
    private func next(_ line: inout SlotRing, _ mark: Connection.Flags) -> Slot? {
        while let slot = line.removeFirst() {
            self[slot].pointee.flags.remove(mark)
            if self[slot].pointee.descriptor >= 0 { return slot }
            free(slot)
        }
        return nil
    }
}

/// A first-in first-out line of slots, each in it at most once, so that it never grows.
private struct SlotRing: ~Copyable {
    // Owned: `capacity` elements, trivial.
    private let slots: UnsafeMutablePointer<ConnectionTable.Slot>
    private let capacity: Int
    private var firstIndex = 0
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
    }

    deinit { slots.deallocate() }

    mutating func append(_ slot: ConnectionTable.Slot) {
        precondition(count < capacity, "a slot stands in a line once")
        var index = firstIndex + count
        if index >= capacity { index -= capacity }
        slots[index] = slot
        count += 1
    }

    mutating func removeFirst() -> ConnectionTable.Slot? {
        guard count > 0 else { return nil }
        let slot = slots[firstIndex]
        firstIndex += 1
        if firstIndex == capacity { firstIndex = 0 }
        count -= 1
        return slot
    }
}
