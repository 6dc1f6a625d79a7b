import Base
import Foundation
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

/// Kills the real program at each step between sealing and deleting the spool file, with each lake.
@Suite struct LakeCrashTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    /// The lakes that keep objects under names, so that each status stands once.
    static let named: [LakeUnderTest.Kind] = [.directory, .bucket]

    /// The program that was built with the tests, beside them.
    static let workersPath: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        return DurableFile.parent(of: own ?? "") + "/workers"
    }()

    func start(
        _ lake: LakeUnderTest,
        of fixture: LakeFixture? = nil,
        crashingAt point: CrashPoint? = nil
    ) throws -> ChildProcess {
        let fixture = fixture ?? self.fixture
        var environment = lake.environment
        environment["QUEUE_PATH"] = fixture.location.path
        environment["LAKE_BATCH_AGE_MAX"] = "100ms"
        environment["LAKE_BACKOFF_MAX"] = "1s"
        environment["WORKERS_ADMIN_LISTEN"] = "127.0.0.1:0"
        environment["DISK_FREE_BYTES_MIN"] = "0"
        environment["PIPELINE_CRASH_POINT"] = point?.rawValue
        return try ChildProcess(
            Self.workersPath, ["--pool", "lake"], environment: environment,
            outputPath: fixture.directory.file("\(UInt32.random(in: .min ... .max)).out"))
    }

    /// Runs until all is in the lake, and stops.
    func finish(_ lake: LakeUnderTest, of fixture: LakeFixture? = nil) throws {
        let child = try start(lake, of: fixture)
        let fixture = fixture ?? self.fixture
        let last = try fixture.session.log.lastID()
        // A signal that comes before the program listens for it simply kills.
        waitUntil {
            child.output.contains("started")
                && (try? fixture.session.lake.cursor()) == last
                && (try? fixture.session.lake.unshippedCount()) == 0
        }
        #expect(child.stop() == .exited(status: 0), "\(child.output)")
    }

    func expectOnce(_ names: [String], in lake: LakeUnderTest) throws {
        #expect(try lake.lines().map(Body.name).sorted() == names.sorted())
        #expect(try fixture.spool.objectNames().isEmpty)
        #expect(try Files.below(fixture.lakePath).allSatisfy { !$0.hasSuffix(".tmp") })
        let statistics = try fixture.session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.lakeShipped) == names.count)
    }

    /// The steps from the end of a batch to the removal of its spool file, in their order.
    static let steps: [CrashPoint] = [
        .afterSpoolFile, .afterSeen, .afterSeal, .insidePut, .afterPut, .afterMark, .beforeRemove,
        .afterRemove,
    ]

    @Test(arguments: steps, named)
    func `a status stands once, whichever step the program dies at`(
        point: CrashPoint,
        kind: LakeUnderTest.Kind
    ) throws {
        let lake = try LakeUnderTest(kind, fixture)
        try fixture.append(
            [Body.statuses([Body.status("a"), Body.status("b")]), Body.one("a")], at: .now())
        let child = try start(lake, crashingAt: point)
        #expect(child.waitForEnd() == .killed(signal: SIGKILL), "\(child.output)")
        // Doubles of what was under way, and something new.
        try fixture.append([Body.one("b"), Body.one("c")], at: .now())
        try finish(lake)
        try expectOnce(["a/sent", "b/sent", "c/sent"], in: lake)
    }

    @Test(arguments: named)
    func `a status stands once where the program dies at every step in turn`(
        kind: LakeUnderTest.Kind
    ) throws {
        let lake = try LakeUnderTest(kind, fixture)
        var names: [String] = []
        for (number, point) in Self.steps.enumerated() {
            try fixture.append([Body.one("\(number)"), Body.one("0")], at: .now())
            names.append("\(number)/sent")
            let child = try start(lake, crashingAt: point)
            #expect(child.waitForEnd() == .killed(signal: SIGKILL), "\(child.output)")
        }
        try finish(lake)
        try expectOnce(names, in: lake)
    }

    @Test(arguments: named)
    func `a status stands once where the program dies at random moments`(
        kind: LakeUnderTest.Kind
    ) throws {
        var generator = SeededGenerator.announced("lake kills")
        let lake = try LakeUnderTest(kind, fixture)
        var names: [String] = []
        for round in 0..<6 {
            let child = try start(lake)
            for number in 0..<40 {
                let name = "\(round)-\(number)"
                try fixture.append([Body.one(name), Body.one("\(round)-0")], at: .now())
                names.append("\(name)/sent")
                poll(nil, 0, Int32.random(in: 0...8, using: &generator))
            }
            child.kill()
        }
        try finish(lake)
        try expectOnce(names, in: lake)
    }

    @Test(arguments: [CrashPoint.afterRequest, .insidePut, .afterSeal, .afterMark])
    func `through Firehose a crash repeats one request at most, and loses nothing`(
        point: CrashPoint
    ) throws {
        let lake = try LakeUnderTest(.stream, fixture)
        try fixture.append((0..<50).map { Body.one("\($0)") }, at: .now())
        let child = try start(lake, crashingAt: point)
        #expect(child.waitForEnd() == .killed(signal: SIGKILL), "\(child.output)")
        try finish(lake)
        var counts: [String: Int] = [:]
        for line in try lake.lines() { counts[Body.name(ofLine: line), default: 0] += 1 }
        #expect(counts.count == 50)
        let times = point == .afterRequest ? 2 : 1
        #expect(counts.values.allSatisfy { $0 == times })
    }
}
