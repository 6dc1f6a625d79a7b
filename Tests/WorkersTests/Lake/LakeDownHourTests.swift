import Base
import Queue
import TestSupport
import Testing

@testable import Workers

/// An hour without a lake, by clocks that the test moves.
@Suite struct LakeDownHourTests {
    /// A lake that is down until it is told otherwise, and counts how often it is asked.
    private final class DownLake: ObjectLake {
        var isDown = true
        var attemptCount = 0
        private let lake: FileLake

        init(root: String) { lake = FileLake(root: root) }

        func put(_ object: SealedObject) throws(LakeError) {
            attemptCount += 1
            guard !isDown else { throw LakeError(.unavailable, "down") }
            try lake.put(object)
        }
    }

    @Test func `an hour without a lake costs nothing but disk, and then all of it is there once`()
        throws
    {
        let fixture = try LakeFixture()
        let lake = DownLake(root: fixture.lakePath)
        let shipper = try fixture.makeShipper(to: lake)
        let sealer = try fixture.makeSealer()
        var names: [String] = []
        var nextLook = Duration.zero
        for minute in 0..<60 {
            let uptime = Duration.seconds(minute * 60)
            let now = LakeFixture.noon + uptime
            let fresh = (0..<100).map { "\(minute)-\($0)" }
            // Each tenth comes twice, as WhatsApp sends it.
            try fixture.append(
                (fresh + fresh.filter { $0.hasSuffix("0") }).map { Body.one($0) }, at: now)
            names += fresh.map { "\($0)/sent" }
            try fixture.drain(sealer, now: now + .seconds(60), uptime: uptime + .seconds(60))
            while nextLook < uptime + .seconds(60) {
                guard case .backOff(let delay) = try shipper.turn(uptime: nextLook, jitter: 0)
                else {
                    nextLook += .seconds(1)
                    continue
                }
                nextLook += delay
            }
        }
        // From a second to five minutes: some thirty looks, not one for each batch or second.
        #expect((10...40).contains(lake.attemptCount))
        #expect(try fixture.objectNames().isEmpty)
        try sealer.finish()
        #expect(try fixture.unshipped().count >= 60)
        #expect(fixture.health.trouble != nil)

        lake.isDown = false
        #expect(try fixture.ship(shipper, uptime: .seconds(3_700)) == .wait(nil))
        #expect(try fixture.lakeLines().map(Body.name).sorted() == names.sorted())
        #expect(try fixture.spool.objectNames().isEmpty)
        #expect(fixture.health.trouble == nil)
        #expect(try fixture.session.statistics().balances)
    }
}
