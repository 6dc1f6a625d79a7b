import Base
import Foundation
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

/// Several queues write into one lake: hosts, clones of a machine, a backup that was put back.
///
/// Each side seals and ships through the same lake as the program does, directory and bucket.
@Suite struct LakeHostsTests {
    static let named: [LakeUnderTest.Kind] = [.directory, .bucket]

    private func ship(_ host: LakeFixture, to lake: LakeUnderTest) throws {
        let sealer = try host.makeSealer()
        try host.drain(sealer)
        try sealer.finish()
        #expect(try host.ship(host.makeShipper(to: try lake.make())) == .wait(nil))
    }

    private func names(_ lake: LakeUnderTest) throws -> [String] {
        try lake.lines().map(Body.name).sorted()
    }

    private func eventKey(_ line: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["event_key"] as? String
    }

    @Test(arguments: named)
    func `two hosts share a lake, and what both got has one key`(
        kind: LakeUnderTest.Kind
    ) throws {
        let first = try LakeFixture()
        let second = try LakeFixture()
        let lake = try LakeUnderTest(kind, first)
        try first.append([Body.one("both"), Body.one("a"), Body.one("a")])
        try second.append([Body.one("both"), Body.one("b"), Body.one("both")])
        try ship(first, to: lake)
        try ship(second, to: lake)
        #expect(try lake.objectNames().count == 2)
        #expect(try names(lake) == ["a/sent", "b/sent", "both/sent", "both/sent"])
        let both = try lake.lines().filter { $0.contains("wamid.both") }
        #expect(Set(both.compactMap(eventKey)).count == 1)
        #expect(try Set(lake.lines().compactMap(eventKey)).count == 3)
    }

    @Test(arguments: named)
    func `a cloned machine replaces nothing, and what was sealed before stands once`(
        kind: LakeUnderTest.Kind
    ) throws {
        let original = try LakeFixture()
        let lake = try LakeUnderTest(kind, original)
        try original.append([Body.one("before")])
        let sealer = try original.makeSealer()
        try original.drain(sealer)
        try sealer.finish()
        let clone = try original.cloned()
        #expect(clone.session.queueID == original.session.queueID)
        // The same webhook ids on both sides, and other webhooks.
        try original.append([Body.one("original")])
        try clone.append([Body.one("clone")])
        try ship(original, to: lake)
        try ship(clone, to: lake)
        #expect(try names(lake) == ["before/sent", "clone/sent", "original/sent"])
        #expect(try lake.objectNames().count == 3)
    }

    @Test(arguments: named)
    func `a backup that was put back replaces nothing, and a resend of what it lost is kept`(
        kind: LakeUnderTest.Kind
    ) throws {
        let host = try LakeFixture()
        let lake = try LakeUnderTest(kind, host)
        try host.append([Body.one("old")])
        let backup = try host.cloned()
        try host.append([Body.one("lost to the backup")])
        try ship(host, to: lake)
        let before = try lake.objectNames()
        // Back at the old state: the first batch is made again, the ids go to other webhooks.
        try backup.append([Body.one("new"), Body.one("old")])
        try ship(backup, to: lake)
        #expect(Set(try lake.objectNames()).isSuperset(of: before))
        let found = try names(lake)
        #expect(Set(found) == ["lost to the backup/sent", "new/sent", "old/sent"])
        // What both sides sealed stands for each, under one key: the views count it once.
        #expect(try Set(lake.lines().compactMap(eventKey)).count == 3)
    }

    @Test(arguments: named)
    func `receipts of a group that differ in the participant alone are kept apart`(
        kind: LakeUnderTest.Kind
    ) throws {
        let host = try LakeFixture()
        let lake = try LakeUnderTest(kind, host)
        let receipts = ["1", "2", "3"].map {
            """
            {"id":"wamid.g","status":"read","timestamp":"\(LakeFixture.noon.seconds)",\
            "recipient_id":"g-1","recipient_participant_id":"1555000\($0)"}
            """
        }
        try host.append([Body.statuses(receipts + receipts), Body.statuses([receipts[1]])])
        try ship(host, to: lake)
        #expect(try names(lake) == ["g/read", "g/read", "g/read"])
        #expect(try Set(lake.lines().compactMap(eventKey)).count == 3)
    }
}
