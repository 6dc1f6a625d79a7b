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

    @Test func `what woke a watcher can be seen at once`() throws {
        let queue = try QueueFixture()
        let reader = try queue.open(.lake)
        let watcher = try QueueWatcher(queue.location)
        let location = queue.location
        let gate = queue.gate
        for count in 1...50 {
            watcher.arm()
            let writer = Thread {
                let session = try? QueueSession.open(location, gate: gate, as: .ingest)
                try? session?.append(["x"])
            }
            writer.start()
            watcher.wait(atMost: long)
            #expect(try reader.log.lastID() == WebhookID(rawValue: Int64(count)))
        }
    }
}
