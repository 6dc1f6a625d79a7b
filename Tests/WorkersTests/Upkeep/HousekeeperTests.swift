import Base
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

@Suite struct HousekeeperTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    func make(
        _ settings: UpkeepSettings? = nil,
        free: Int = 1 << 40
    ) throws -> Housekeeper {
        var quiet = UpkeepSettings()
        quiet.diskFreeBytesMin = 0
        return Housekeeper(
            session: try QueueSession.open(fixture.location, gate: fixture.gate, as: .upkeep),
            settings: settings ?? quiet, metrics: UpkeepMetrics(fixture.registry), log: .disabled,
            freeByteCount: { _ in free })
    }

    func run(_ housekeeper: Housekeeper, now: Timestamp = LakeFixture.noon) throws {
        while try housekeeper.turn(now: now) {}
    }

    func storedCount() throws -> Int { try fixture.session.statistics().storedCount }

    /// Moves the forward consumer past the log, without making a delivery.
    func passForward() throws {
        try fixture.session.forward.accept(
            ForwardSlice(cursor: try fixture.session.log.lastID()), now: .now())
    }

    @Test func `the log goes behind the slower consumer, and not before`() throws {
        try fixture.append((0..<600).map { Body.one("\($0)") })
        let housekeeper = try make()
        try run(housekeeper)
        #expect(try storedCount() == 600)
        try fixture.drainAndShip()
        try run(housekeeper)
        #expect(try storedCount() == 600)
        try passForward()
        try run(housekeeper)
        #expect(try storedCount() == 0)
        #expect(try fixture.session.log.lastID() == WebhookID(rawValue: 600))
    }

    @Test func `no slice holds the gate longer than its limit and its syncs`() throws {
        let filler = String(repeating: "x", count: 3_000)
        try fixture.append((0..<6_000).map { "\(filler)\($0)" })
        try fixture.drainAndShip()
        try passForward()
        try run(try make())
        #expect(try storedCount() == 0)
        // More than twice the limit, and two of three, for the sake of a busy machine.
        let quick = try metric("workers_upkeep_slice_seconds_bucket{le=\"0.025\"}")
        let all = try metric("workers_upkeep_slice_seconds_count")
        #expect(all > 0)
        #expect(quick >= all * 2 / 3)
    }

    func metric(_ name: String) throws -> Double {
        let lines = fixture.registry.render().split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix(name + " ") })
        return try #require(Double(line.dropFirst(name.count + 1)))
    }

    @Test func `keys expire with their window, and are known until then`() throws {
        try fixture.append([Body.one("a")])
        try fixture.drainAndShip()
        try passForward()
        let housekeeper = try make()
        try run(housekeeper, now: LakeFixture.noon + .seconds(8 * 86_400 - 10))
        try fixture.append([Body.one("a")])
        try fixture.drainAndShip()
        #expect(try fixture.lakeLines().count == 1)
        try passForward()
        try run(housekeeper, now: LakeFixture.noon + .seconds(8 * 86_400 + 10))
        try fixture.append([Body.one("a")])
        try fixture.drainAndShip()
        #expect(try fixture.lakeLines().count == 2)
    }

    @Test func `a WAL above its limit is copied, and its file cut where it is far above`() throws {
        var settings = UpkeepSettings()
        settings.diskFreeBytesMin = 0
        settings.walBytesMax = 1 << 20
        let housekeeper = try make(settings)
        let filler = String(repeating: "x", count: 100_000)
        for _ in 0..<20 { try fixture.append([filler]) }
        #expect(fixture.session.walByteCount > 1 << 20)
        try run(housekeeper)
        let after = fixture.session.walByteCount
        try fixture.append([filler])
        #expect(fixture.session.walByteCount == after)
        for _ in 0..<80 { try fixture.append([filler]) }
        #expect(fixture.session.walByteCount > 4 << 20)
        try run(housekeeper)
        #expect(fixture.session.walByteCount == 0)
    }

    @Test func `the ballast is made while there is room, and given up when there is not`() throws {
        var settings = UpkeepSettings()
        settings.diskFreeBytesMin = 4 << 20
        try run(make(settings, free: 1 << 30))
        #expect(Files.exists(fixture.location.ballastPath))
        try run(make(settings, free: 1 << 20))
        #expect(!Files.exists(fixture.location.ballastPath))
    }

    @Test func `upkeep starts, looks, and stops`() throws {
        try fixture.append([Body.one("a")])
        try fixture.drainAndShip()
        try passForward()
        let upkeep = try Upkeep(
            location: fixture.location, gate: fixture.gate, settings: UpkeepSettings(),
            log: .disabled, metrics: fixture.registry)
        upkeep.start()
        #expect(try waitUntil { try storedCount() == 0 })
        upkeep.stop()
    }
}
