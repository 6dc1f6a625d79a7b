import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct ForwardClockTests {
    private let now = Timestamp(rawValue: 1_700_000_100_000)

    @Test func `what was accepted while the clock was ahead is due once it is set right`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["webhook"])
        let ahead = now + .seconds(7_200)
        try session.forward.accept(
            ForwardSlice(to: 1, [newDelivery("a1", to: ["a"])]), now: ahead)
        #expect(try session.forward.claim(limit: 1, now: now, excluding: []).isEmpty)

        // A wait that can be meant is left alone.
        try session.forward.bringForward(dueAfter: ahead, to: now)
        #expect(try session.forward.claim(limit: 1, now: now, excluding: []).isEmpty)
        try session.forward.bringForward(dueAfter: now + .seconds(600), to: now)
        let claimed = try session.forward.claim(limit: 1, now: now, excluding: [])
        #expect(claimed.map(\.envelope.key) == ["a1"])
    }
}
