import Base
import Glibc
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Workers

@Suite struct SealerFailureTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    func names() throws -> [String] { try fixture.spooledLines().map(Body.name).sorted() }

    @Test func `what was read and not sealed is read again by the next run`() throws {
        try fixture.append([Body.one("a"), Body.one("b")])
        let abandoned = try fixture.makeSealer()
        try fixture.drain(abandoned)
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer)
        try sealer.finish()
        #expect(try names() == ["a/sent", "b/sent"])
    }

    @Test func `keys that a run left behind are no doubles of their own webhooks`() throws {
        try fixture.append([
            Body.statuses([Body.status("a"), Body.status("b")]), Body.one("c"), Body.one("a"),
        ])
        // A run that died after it stored the keys of its batch, and before the batch.
        let split = LogSlice(
            try fixture.session.log.read(after: .none, limit: 10, byteCountMax: .max),
            splitter: .init(split: .conversation, forwardedStatuses: []),
            window: fixture.settings.dedupWindow)
        let keys = zip(split.webhooks, split.found).flatMap { webhook, found in
            found.map { ($0.seen, webhook.id) }
        }
        try fixture.session.lake.recordSeen(keys)
        try fixture.drainAndShip()
        #expect(
            try fixture.lakeLines().map(Body.name).sorted() == ["a/sent", "b/sent", "c/sent"])
    }

    @Test func `files that no book knows are removed at start, others stay`() throws {
        try fixture.append([Body.one("a")])
        try fixture.drainAndShip()
        let spool = fixture.spool
        let wanted = "statuses/dt=2026-01-02/hour=03/a1b2c3d4e5f6-1-2-0123456789ab.ndjson.gz"
        let orphan = spool.path(ofObject: wanted)
        let shipped = spool.path(ofObject: try #require(try fixture.objectNames().first))
        let foreign = "\(spool.path)/notes.txt"
        for path in [orphan, shipped, foreign, spool.openPath] { try Files.write([1], to: path) }
        try fixture.drain(try fixture.makeSealer())
        #expect(!Files.exists(orphan))
        #expect(!Files.exists(shipped))
        #expect(!Files.exists(spool.openPath))
        #expect(Files.exists(foreign))
    }

    @Test func `the spool file of a batch that is not shipped survives a restart`() throws {
        try fixture.append([Body.one("a")])
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer)
        try sealer.finish()
        try fixture.drain(try fixture.makeSealer())
        #expect(try names() == ["a/sent"])
    }

    @Test func `a spool directory that fails costs nothing once it works again`() throws {
        try fixture.append([Body.one("a"), Body.one("b")])
        let sealer = try fixture.makeSealer()
        let path = fixture.spool.path
        #expect(rmdir(path) == 0)
        #expect(throws: QueueError.self) { try fixture.drain(sealer) }
        #expect(mkdir(path, 0o700) == 0)
        try fixture.drain(sealer)
        try sealer.finish()
        #expect(try names() == ["a/sent", "b/sent"])
        #expect(try fixture.session.statistics().balances)
        #expect(fixture.metrics.sealFailures.value == 1)
    }

    @Test func `on a short disk one batch at a time is sealed`() throws {
        let free = Atomic<Int>(0)
        let room = SealingRoom(floor: 1_000) { _ in free.load(ordering: .relaxed) }
        let sealer = try fixture.makeSealer(room: room)
        try fixture.append([Body.one("a")])
        try fixture.drain(sealer)
        try sealer.finish()
        #expect(try names() == ["a/sent"])

        try fixture.append([Body.one("b")])
        #expect(try sealer.turn(now: LakeFixture.noon, uptime: .zero) == .paused)
        #expect(fixture.health.trouble?.contains("paused") == true)
        free.store(1_000, ordering: .relaxed)
        try fixture.drain(sealer)
        try sealer.finish()
        #expect(fixture.health.trouble == nil)

        free.store(0, ordering: .relaxed)
        try fixture.ship(fixture.makeShipper())
        try fixture.append([Body.one("c")])
        try fixture.drain(sealer)
        try sealer.finish()
        try fixture.ship(fixture.makeShipper())
        #expect(
            try fixture.lakeLines().map(Body.name).sorted() == ["a/sent", "b/sent", "c/sent"])
    }

    @Test func `whatever arrives and however often it dies, each status stands once`() throws {
        var generator = SeededGenerator.announced("lake runs")
        var expected: Set<String> = []
        var settings = fixture.settings
        settings.rules.lineByteCountMax = 4_000
        var sealer = try fixture.makeSealer(settings)
        var moment = LakeFixture.noon
        for round in 0..<120 {
            let bodies = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                // Few names, so that doubles are frequent, in a body and across batches.
                let names = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    "\(round / 30)-\(Int.random(in: 0..<40, using: &generator))"
                }
                expected.formUnion(names.map { "\($0)/sent" })
                return names.isEmpty
                    ? Body.message("m") : Body.statuses(names.map { Body.status($0) })
            }
            moment = moment + .seconds(Int.random(in: -900...1_200, using: &generator))
            if !bodies.isEmpty { try fixture.append(bodies, at: moment) }
            try fixture.drain(sealer, now: moment)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: try sealer.finish()
            case 1: sealer = try fixture.makeSealer(settings)
            case 2: try fixture.ship(fixture.makeShipper())
            default: break
            }
        }
        try fixture.drain(sealer, now: moment)
        try sealer.finish()
        try fixture.ship(fixture.makeShipper())
        let names = try fixture.lakeLines().map(Body.name)
        #expect(names.sorted() == expected.sorted())
        #expect(try fixture.session.statistics().balances)
        #expect(try fixture.spool.objectNames().isEmpty)
    }
}
