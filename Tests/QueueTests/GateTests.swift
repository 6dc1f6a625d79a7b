import Base
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Queue

@Suite struct GateTests {
    @Test func `only one holder passes at a time, within a process and across two`() throws {
        let queue = try QueueFixture()
        // A second gate on the same files has open files of its own, as another process would.
        let other = try Gate.open(queue.location)
        let gates = [queue.gate, other]
        let inside = Atomic<Int>(0)
        let worst = Mutex(0)
        let passes = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            let gate = gates[number % 2]
            for _ in 0..<200 {
                gate.lock()
                let count = inside.add(1, ordering: .sequentiallyConsistent).newValue
                worst.withLock { $0 = max($0, count) }
                passes.add(1, ordering: .relaxed)
                inside.subtract(1, ordering: .sequentiallyConsistent)
                gate.unlock()
            }
        }
        #expect(worst.withLock { $0 } == 1)
        #expect(passes.load(ordering: .relaxed) == 1_600)
    }

    @Test func `trying never waits, and leaves nothing locked`() throws {
        let queue = try QueueFixture()
        let other = try Gate.open(queue.location)
        #expect(queue.gate.tryLock())
        #expect(!queue.gate.tryLock())
        #expect(!other.tryLock())
        queue.gate.unlock()
        #expect(other.tryLock())
        #expect(!queue.gate.tryLock())
        other.unlock()
        #expect(queue.gate.tryLock())
        queue.gate.unlock()
    }

    @Test func `another thread may unlock, and the observer learns what it took`() throws {
        let queue = try QueueFixture()
        let seen = Mutex<[Duration]>([])
        let gate = try Gate.open(queue.location) { waited, held in
            seen.withLock { $0 += [waited, held] }
        }
        gate.lock()
        let thread = Thread { gate.unlock() }
        thread.start()
        gate.lock()
        gate.unlock()
        // The other thread tells its observer after the gate is free.
        #expect(waitUntil { seen.withLock { $0.count } == 4 })
        #expect(seen.withLock { $0.allSatisfy { $0 >= .zero } })
    }
}
