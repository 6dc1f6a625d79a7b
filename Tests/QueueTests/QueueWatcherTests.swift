import Base
import Foundation
import TestSupport
import Testing

@testable import Queue

@Suite struct QueueWatcherTests {
    /// Far longer than anything here takes: a wait that ends by itself fails the test.
    private let long = Duration.seconds(60)

    @Test func `a commit wakes a watcher that was armed before it`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        let watcher = try QueueWatcher(queue.location)
        watcher.arm()
        try session.append(["x"])
        let start = MonotonicClock.now()
        watcher.wait(atMost: long)
        #expect(MonotonicClock.now() - start < long)
    }

    @Test func `a colleague's signal is not lost between two waits`() throws {
        let queue = try QueueFixture()
        let watcher = try QueueWatcher(queue.location)
        watcher.signal()
        let start = MonotonicClock.now()
        watcher.wait(atMost: long)
        #expect(MonotonicClock.now() - start < long)
        watcher.wait(atMost: .zero)
    }
}
