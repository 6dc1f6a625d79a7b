import Base
import Queue
import Testing

@testable import pipelinectl

@Suite struct AuditCommandTests {
    @Test func `every act is there with time, user, letter and reason, newest first`() throws {
        let rig = try CommandRig()
        for _ in 0..<4 { try rig.bury() }
        let file = rig.directory.file("letters")
        #expect(rig.run("dead", "export", "--all", "--out", file).code == ExitCode.ok)
        #expect(rig.run("dead", "discard", "1", "--because", "a test of ours").code == ExitCode.ok)
        #expect(rig.run("dead", "replay", "2").code == ExitCode.ok)
        rig.environment["EDITOR"] = "printf '{}' >"
        #expect(rig.run("dead", "edit", "3").code == ExitCode.ok)
        #expect(rig.run("dead", "import", file).code == ExitCode.ok)
        let items = try rig.run("audit", "--json").items()
        #expect(
            items.map { $0["act"] as? String }
                == ["import", "import", "edit", "replay", "discard", "export"])
        #expect(items.map { $0["delivery"] as? Int } == [6, 5, 3, 2, 1, nil])
        #expect(items[4]["note"] as? String == "a test of ours")
        #expect(items[5]["note"] as? String == "4 dead letters to \(file)")
        #expect(items.allSatisfy { $0["system_user"] as? String == "operator" })
        #expect(items.allSatisfy { $0["at"] as? String == CommandRig.now.rfc3339 })
        #expect(Set(items[0].keys) == ["id", "at", "system_user", "act", "delivery", "note"])
    }

    @Test func `looking is no act, and neither is a dry run`() throws {
        let rig = try CommandRig()
        try rig.bury()
        for arguments in [
            ["dead", "list"], ["dead", "show", "1"], ["dead", "replay", "--all", "--dry-run"],
            ["dead", "discard", "1", "--because", "x", "--dry-run"], ["status"], ["audit"],
        ] {
            #expect(rig.run(arguments).code == ExitCode.ok, "\(arguments)")
        }
        #expect(try rig.run("audit", "--json").items().isEmpty)
        let none = rig.run(["audit"], reader: .person(colour: false))
        #expect(none.output == "nothing was done\n")
    }

    @Test func `it is filtered, and paged from the newest on`() throws {
        let rig = try CommandRig()
        for _ in 0..<5 { try rig.bury() }
        for id in 1...4 { _ = rig.run("dead", "replay", "\(id)") }
        rig.environment["SUDO_USER"] = "another"
        _ = rig.run("dead", "discard", "5", "--because", "x")
        let cases: [([String], [Int])] = [
            (["--act", "replay"], [4, 3, 2, 1]), (["--user", "another"], [5]),
            (["--delivery", "2"], [2]), (["--since", "1h"], [5, 4, 3, 2, 1]),
            (["--until", "1h"], []), (["--act", "replay", "--user", "another"], []),
        ]
        for (flags, ids) in cases {
            let items = try rig.run(["audit", "--json"] + flags).items()
            #expect(items.map { $0["id"] as? Int } == ids, "\(flags)")
        }
        let first = rig.run("audit", "--limit", "2", "--json")
        #expect(try first.items().map { $0["id"] as? Int } == [5, 4])
        let next = try #require(try first.json()["next_before"] as? Int)
        let second = rig.run("audit", "--limit", "3", "--before", "\(next)", "--json")
        #expect(try second.items().map { $0["id"] as? Int } == [3, 2, 1])
        #expect(rig.run("audit", "--limit", "4").error == "there are more: add --before 2\n")
    }
}

@Suite struct PaceTests {
    @Test(arguments: [
        (0, 10, 0, 0), (10, 10, 0, 1_000), (10, 10, 400, 600), (10, 10, 2_000, 0),
        (1, 3, 0, 333), (200_000, 100_000, 500, 1_500),
    ])
    func `so many take as long as their rate says`(
        count: Int, perSecond: Int, elapsed: Int, delay: Int
    ) {
        let found = Pace.delay(
            afterDoing: count, perSecond: perSecond, elapsed: .milliseconds(elapsed))
        #expect(found.milliseconds == Int64(delay))
    }

    @Test(arguments: [(nil, 200), (10, 1), (5, 1), (1_000, 100), (100_000, 200)])
    func `a slice is a tenth of a second's worth`(perSecond: Int?, count: Int) throws {
        #expect(try Pace(perSecond: perSecond, sliceCountMax: 200).sliceCount == count)
    }

    @Test func `a replay at a rate takes its time, and all of it is replayed`() throws {
        let rig = try CommandRig()
        for _ in 0..<12 { try rig.bury() }
        let start = MonotonicClock.now()
        let dead = rig.run("dead", "replay", "--all", "--rate", "40", "--json")
        #expect(MonotonicClock.now() - start >= .milliseconds(300))
        #expect(try dead.json()["replayed"] as? Int == 12)
        let due = try rig.session.forward.claim(limit: 50, now: CommandRig.now, excluding: [])
        #expect(due.count == 1, "one conversation")
        for _ in 0..<12 {
            try rig.settle(.delivered, CommandRig.Letter())
        }
        let again = MonotonicClock.now()
        let replayed = rig.run("replay", "--since", "2h", "--rate", "40", "--json")
        #expect(MonotonicClock.now() - again >= .milliseconds(300))
        #expect(try replayed.json()["replayed"] as? Int == 12)
    }
}
