import Base
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

@Suite struct LakePoolTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    func makePool(_ settings: LakeSettings? = nil) throws -> LakePool {
        try LakePool(
            location: fixture.location, gate: fixture.gate, settings: settings ?? quick(),
            log: .disabled, metrics: fixture.registry)
    }

    func quick() -> LakeSettings {
        var settings = fixture.settings
        settings.rules.ageMax = .milliseconds(100)
        return settings
    }

    func names() throws -> [String] { try fixture.lakeLines().map(Body.name).sorted() }

    @Test func `a status that is acknowledged is in the lake soon after its batch is old`() throws {
        let pool = try makePool()
        pool.start()
        try fixture.append([Body.one("a")], at: .now())
        #expect(try waitUntil { try names() == ["a/sent"] })
        try fixture.append([Body.one("b")], at: .now())
        #expect(try waitUntil { try names() == ["a/sent", "b/sent"] })
        pool.stop()
        #expect(pool.trouble == nil)
    }

    @Test func `a stop seals and ships what is open`() throws {
        let pool = try makePool(fixture.settings)
        try fixture.append([Body.one("a")], at: .now())
        pool.start()
        #expect(waitUntil { Files.exists(fixture.spool.openPath) })
        #expect(try names().isEmpty)
        pool.stop()
        #expect(try names() == ["a/sent"])
        #expect(try fixture.unshipped().isEmpty)
    }

    @Test func `a second pool of one queue is refused in one line, until the first has stopped`()
        throws
    {
        let pool = try makePool()
        pool.start()
        let error = #expect(throws: LakePoolError.self) { try makePool() }
        #expect(error?.description.contains("--pool forward") == true)
        #expect(error?.description.contains("\n") == false)
        pool.stop()
        try makePool().stop()
    }

    @Test func `a pool that never started stops`() throws { try makePool().stop() }

    @Test func `a lake that cannot be written holds up no sealing, and a stop is quick`() throws {
        try Files.write([], to: fixture.lakePath)
        let pool = try makePool()
        pool.start()
        try fixture.append([Body.one("a")], at: .now())
        #expect(waitUntil { pool.trouble?.contains("LAKE_URL") == true })
        try fixture.append([Body.one("b")], at: .now())
        #expect(try waitUntil { try fixture.unshipped().count == 2 })
        let start = MonotonicClock.now()
        pool.stop()
        #expect(MonotonicClock.now() - start < .seconds(5))

        unlink(fixture.lakePath)
        let again = try makePool()
        again.start()
        #expect(try waitUntil { try names() == ["a/sent", "b/sent"] })
        again.stop()
    }

    @Test func `a lake that is mended gets what waited, without a restart`() throws {
        try Files.write([], to: fixture.lakePath)
        var settings = quick()
        settings.backoff.delayMax = .milliseconds(50)
        let pool = try makePool(settings)
        pool.start()
        try fixture.append([Body.one("a")], at: .now())
        #expect(waitUntil { pool.trouble != nil })
        unlink(fixture.lakePath)
        #expect(try waitUntil { try names() == ["a/sent"] })
        #expect(waitUntil { pool.trouble == nil })
        pool.stop()
    }
}
