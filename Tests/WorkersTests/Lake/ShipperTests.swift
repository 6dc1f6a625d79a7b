import Base
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

/// A lake that fails as it is told.
private final class FaultyLake: ObjectLake {
    var faults: [LakeError] = []
    var names: [String] = []
    /// Whether the object arrives although the answer does not.
    var losesAnswers = false
    let lake: FileLake

    init(root: String) { lake = FileLake(root: root) }

    func put(_ object: SealedObject) throws(LakeError) {
        if let fault = faults.popLast() {
            if losesAnswers { try lake.put(object) }
            throw fault
        }
        try lake.put(object)
        names.append(object.name)
    }
}

@Suite struct ShipperTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    /// Seals one batch for each name.
    func seal(_ names: String...) throws {
        for name in names {
            try fixture.append([Body.one(name)])
            let sealer = try fixture.makeSealer()
            try fixture.drain(sealer)
            try sealer.finish()
        }
    }

    func shippedNames() throws -> [String] { try fixture.lakeLines().map(Body.name).sorted() }

    @Test func `batches are shipped in their order, and their spool files go`() throws {
        try seal("a", "b", "c")
        let order = try fixture.unshipped().map(\.objectName)
        let lake = FaultyLake(root: fixture.lakePath)
        #expect(try fixture.ship(fixture.makeShipper(to: lake)) == .wait(nil))
        #expect(lake.names == order)
        #expect(try shippedNames() == ["a/sent", "b/sent", "c/sent"])
        #expect(try fixture.unshipped().isEmpty)
        #expect(try fixture.spool.objectNames().isEmpty)
        let statistics = try fixture.session.statistics()
        #expect(statistics.count(.lakeShipped) == 3)
        #expect(statistics.balances)
    }

    @Test func `a lake that is down is left alone longer and longer, and then takes all`() throws {
        try seal("a", "b")
        let lake = FaultyLake(root: fixture.lakePath)
        lake.faults = Array(repeating: LakeError(.unavailable, "down"), count: 3)
        let shipper = try fixture.makeShipper(to: lake)
        let turns = try (0..<3).map { _ in try fixture.ship(shipper) }
        #expect(
            turns == [.milliseconds(500), .seconds(1), .seconds(2)].map(Shipper.Turn.backOff))
        #expect(fixture.health.trouble?.contains("down") == true)
        #expect(try fixture.unshipped().count == 2)
        #expect(try fixture.ship(shipper) == .wait(nil))
        #expect(fixture.health.trouble == nil)
        #expect(try shippedNames() == ["a/sent", "b/sent"])
    }

    @Test func `an answer that is lost after success repeats nothing`() throws {
        try seal("a")
        let lake = FaultyLake(root: fixture.lakePath)
        lake.losesAnswers = true
        lake.faults = [LakeError(.unavailable, "cut"), LakeError(.unavailable, "cut")]
        let shipper = try fixture.makeShipper(to: lake)
        for _ in 0..<3 { try fixture.ship(shipper) }
        #expect(try shippedNames() == ["a/sent"])
        #expect(try fixture.unshipped().isEmpty)
    }

    @Test func `a lake that cannot be written is shipped to once it is mended`() throws {
        try seal("a")
        try Files.write([], to: fixture.lakePath)
        let shipper = try fixture.makeShipper()
        #expect(try fixture.ship(shipper) == .backOff(.milliseconds(7_500)))
        unlink(fixture.lakePath)
        #expect(try fixture.ship(shipper) == .wait(nil))
        #expect(try shippedNames() == ["a/sent"])
    }

    @Test func `a missing spool file is an alarm, and the batches behind it go on`() throws {
        try seal("a", "b")
        let batch = try #require(try fixture.unshipped().first)
        let path = fixture.spool.path(ofObject: batch.objectName)
        let saved = try Files.bytes(path)
        unlink(path)
        let shipper = try fixture.makeShipper()
        #expect(try fixture.ship(shipper) == .wait(Shipper.alarmInterval))
        #expect(fixture.health.trouble?.contains("missing") == true)
        #expect(try fixture.unshipped().map(\.objectName) == [batch.objectName])
        #expect(try shippedNames() == ["b/sent"])

        try Files.write(saved, to: path)
        try fixture.ship(shipper, uptime: .seconds(59))
        #expect(try fixture.unshipped().count == 1)
        #expect(try fixture.ship(shipper, uptime: .seconds(60)) == .wait(nil))
        #expect(fixture.health.trouble == nil)
        #expect(try shippedNames() == ["a/sent", "b/sent"])
    }

    @Test func `an altered spool file is an alarm, never shipped`() throws {
        try seal("a")
        let batch = try #require(try fixture.unshipped().first)
        let path = fixture.spool.path(ofObject: batch.objectName)
        var bytes = try Files.bytes(path)
        bytes[bytes.count / 2] ^= 1
        try Files.write(bytes, to: path)
        try fixture.ship(fixture.makeShipper())
        #expect(fixture.health.trouble?.contains("not what was sealed") == true)
        #expect(try Files.below(fixture.lakePath).isEmpty)
        #expect(try fixture.unshipped().count == 1)
        #expect(fixture.registry.render().contains("workers_lake_alarms 1"))
    }

    @Test func `a missing spool file is said while the lake is down`() throws {
        try seal("a", "b")
        let batch = try #require(try fixture.unshipped().last)
        unlink(fixture.spool.path(ofObject: batch.objectName))
        let lake = FaultyLake(root: fixture.lakePath)
        lake.faults = [LakeError(.unavailable, "down")]
        try fixture.ship(fixture.makeShipper(to: lake))
        #expect(fixture.health.trouble?.contains("missing") == true)
    }

    @Test func `a spool file that is lost after its object arrived is no alarm for long`() throws {
        try seal("a")
        let batch = try #require(try fixture.unshipped().first)
        let path = fixture.spool.path(ofObject: batch.objectName)
        try FileLake(root: fixture.lakePath).put(
            SealedObject(
                name: batch.objectName, path: path, byteCount: batch.byteCount,
                sha256: batch.sha256))
        unlink(path)
        try fixture.ship(fixture.makeShipper())
        #expect(fixture.health.trouble == nil)
        #expect(try fixture.unshipped().isEmpty)
    }

    @Test func `another object under the name is never replaced, and the next batch goes`() throws {
        try seal("a", "b")
        let batch = try #require(try fixture.unshipped().first)
        let target = "\(fixture.lakePath)/\(batch.objectName)"
        try DurableFile.makeDirectory(DurableFile.parent(of: target))
        try Files.write(Array("other".utf8), to: target)
        try fixture.ship(fixture.makeShipper())
        #expect(try Files.bytes(target) == Array("other".utf8))
        #expect(fixture.health.trouble?.contains("other bytes") == true)
        #expect(try fixture.unshipped().map(\.objectName) == [batch.objectName])
    }

    @Test func `a batch that was marked and not removed costs its file only`() throws {
        try seal("a")
        let batch = try #require(try fixture.unshipped().first)
        try fixture.ship(fixture.makeShipper())
        try Files.write([1], to: fixture.spool.path(ofObject: batch.objectName))
        try fixture.drain(try fixture.makeSealer())
        #expect(try fixture.spool.objectNames().isEmpty)
        #expect(try shippedNames() == ["a/sent"])
    }

    @Test func `a stop ends the turn between two batches`() throws {
        try seal("a", "b", "c")
        var asked = 0
        let turn = try fixture.makeShipper().turn(uptime: .zero, jitter: 0) {
            asked += 1
            return asked < 3
        }
        #expect(turn == .again)
        #expect(try shippedNames() == ["a/sent", "b/sent"])
    }
}
