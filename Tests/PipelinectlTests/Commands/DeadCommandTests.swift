import Base
import Foundation
import Queue
import Testing

@testable import pipelinectl

@Suite struct DeadListTests {
    @Test func `a list has its documented keys, and pages on`() throws {
        let rig = try CommandRig()
        for _ in 0..<3 { try rig.bury() }
        let first = rig.run("dead", "list", "--limit", "2", "--json")
        #expect(first.code == ExitCode.ok)
        #expect(try first.items().map { $0["id"] as? Int } == [1, 2])
        let next = try #require(try first.json()["next_after"] as? Int)
        let second = rig.run("dead", "list", "--limit", "2", "--after", "\(next)", "--json")
        #expect(try second.items().map { $0["id"] as? Int } == [3])
        #expect(try second.json()["next_after"] is NSNull)
        #expect(
            try Set(second.items()[0].keys) == [
                "id", "reason", "status", "died_at", "received_at", "conversations", "field",
                "phone_number_id", "events", "attempts_total", "replays", "bytes", "delivery_id",
                "webhook_id",
            ])
    }

    @Test func `each filter keeps what it means and nothing else`() throws {
        let rig = try CommandRig()
        try rig.bury()
        var other = CommandRig.Letter()
        other.conversation = "2:4917"
        other.field = "account_update"
        other.phoneNumberID = "2"
        other.reason = .attemptsSpent(status: 503)
        other.diedAt = CommandRig.now - .seconds(60)
        try rig.bury(other)
        let cases: [([String], [Int])] = [
            (["--reason", "refused"], [1]), (["--reason", "attempts"], [2]),
            (["--status", "503"], [2]), (["--since", "10m"], [2]), (["--until", "10m"], [1]),
            (["--since", "2h", "--until", "10m"], [1]), (["--conversation", "2:4917"], [2]),
            (["--phone-number-id", "1"], [1]), (["--field", "account_update"], [2]),
            (["--field", "messages", "--status", "503"], []), ([], [1, 2]),
        ]
        for (flags, ids) in cases {
            let outcome = rig.run(["dead", "list", "--json"] + flags)
            #expect(try outcome.items().map { $0["id"] as? Int } == ids, "\(flags)")
        }
    }

    @Test func `a pipe gets exact values, a terminal words`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let died = (CommandRig.now - .seconds(3_600)).rfc3339
        #expect(
            rig.run("dead", "list").output
                == "1\t\(died)\trefused\t400\t1:491511\tmessages\t1\t0\t12\n")
        let text = rig.run(["dead", "list"], reader: .person(colour: false)).output
        #expect(
            text == """
                ID  GIVEN UP  REASON   STATUS  CONVERSATION  FIELD     ATTEMPTS  REPLAYS  SIZE
                 1  1 h ago   refused     400  1:491511      messages         1        0  12 B

                """)
    }

    @Test func `a person is told that there are none, and that there are more`() throws {
        let rig = try CommandRig()
        let none = rig.run(["dead", "list"], reader: .person(colour: false))
        #expect(none.output == "no dead letters\n")
        #expect(rig.run("dead", "list").output == "")
        for _ in 0..<2 { try rig.bury() }
        let more = rig.run("dead", "list", "--limit", "1")
        #expect(more.error == "there are more: add --after 1\n")
    }
}

@Suite struct DeadShowTests {
    @Test func `the whole letter is shown with its body and attempts`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let json = try rig.run("dead", "show", "1", "--json").json()
        #expect(json["reason"] as? String == "refused")
        #expect(json["body"] as? String == #"{"entry":[]}"#)
        #expect(json["body_base64"] == nil)
        let attempts = try #require(json["attempts"] as? [[String: Any]])
        #expect(attempts.count == 1)
        #expect(attempts[0]["id"] as? Int == 1)
        #expect(attempts[0]["answer"] as? String == "no")
        #expect((json["headers"] as? [String: Any])?["X-Hub-Signature"] as? String == "sha1=00")
    }

    @Test func `a body that is no UTF-8 is whole in Base64, and raw byte for byte`() throws {
        let rig = try CommandRig()
        var letter = CommandRig.Letter()
        letter.body = [0x7B, 0xFF, 0x00, 0x7D]
        try rig.bury(letter)
        let json = try rig.run("dead", "show", "1", "--json").json()
        #expect(json["body"] is NSNull)
        let text = try #require(json["body_base64"] as? String)
        #expect(Data(base64Encoded: text).map { Array($0) } == letter.body)

        var written: [UInt8] = []
        let console = Console(
            reader: .program,
            output: {
                written += $0
                return true
            }, error: { _ in true })
        let program = Program(environment: rig.environment, console: console)
        #expect(program.run(["dead", "show", "1", "--raw"]) == ExitCode.ok)
        #expect(written == letter.body)
    }

    @Test func `nothing in a body or an answer acts on a terminal`() throws {
        let rig = try CommandRig()
        var letter = CommandRig.Letter()
        letter.body = Array("{\"a\":\"\u{1B}[2J\u{9B}\u{202E}\r\u{7}\"}".utf8)
        letter.answer = Array("\u{1B}]0;owned\u{7}\n".utf8)
        letter.conversation = "1:\u{202E}evil"
        try rig.bury(letter)
        for arguments in [
            ["dead", "show", "1"], ["dead", "list"], ["dead", "show", "1", "--json"],
        ] {
            let text = rig.run(arguments, reader: .person(colour: false)).output
            let hidden = text.unicodeScalars.filter { $0 != "\n" && HostileText.isHidden($0) }
            #expect(hidden.isEmpty, "\(arguments)")
            #expect(!text.isEmpty)
        }
    }

    @Test func `what is not there is not found, and what is no id is a mistake`() throws {
        let rig = try CommandRig()
        let missing = rig.run("dead", "show", "7")
        #expect(missing.code == ExitCode.notFound)
        #expect(missing.error == "pipelinectl: there is no dead letter 7\n")
        #expect(rig.run("dead", "show", "x").code == ExitCode.usage)
        #expect(rig.run("dead", "show", "-7").code == ExitCode.usage)
        #expect(rig.run("dead", "show", "1", "--raw", "--json").code == ExitCode.usage)
    }
}

@Suite struct DeadReplayTests {
    @Test func `named letters wait for PHP again, and the missing one is said`() throws {
        let rig = try CommandRig()
        for _ in 0..<3 { try rig.bury() }
        let outcome = rig.run("dead", "replay", "1", "3", "9", "--json")
        #expect(outcome.code == ExitCode.notFound)
        #expect(try outcome.json()["replayed"] as? Int == 2)
        #expect(try outcome.json()["not_found"] as? [Int] == [9])
        #expect(outcome.error == "there is no dead letter 9\n")
        let statistics = try rig.statistics()
        #expect(statistics.count(.waitingDeliveries) == 2)
        #expect(statistics.count(.deadLetters) == 1)
        #expect(statistics.balances)
    }

    @Test func `a filter takes what it means, all takes the rest`() throws {
        let rig = try CommandRig()
        try rig.bury()
        var other = CommandRig.Letter()
        other.reason = .attemptsSpent(status: 503)
        try rig.bury(other)
        #expect(
            try rig.run("dead", "replay", "--status", "503", "--json").json()["replayed"] as? Int
                == 1)
        #expect(try rig.run("dead", "replay", "--all", "--json").json()["replayed"] as? Int == 1)
        #expect(try rig.run("dead", "replay", "--all", "--json").json()["replayed"] as? Int == 0)
    }

    @Test func `more than a page of them is replayed`() throws {
        let rig = try CommandRig()
        let count = DeadWalk.pageCount * 2 + 1
        for _ in 0..<count { try rig.bury() }
        let dry = rig.run("dead", "replay", "--all", "--dry-run", "--json")
        #expect(try dry.json()["replayed"] as? Int == count)
        #expect(try rig.statistics().count(.deadLetters) == count)
        #expect(rig.run("dead", "replay", "--all").code == ExitCode.ok)
        #expect(try rig.statistics().count(.waitingDeliveries) == count)
    }

    @Test func `letters that stay where they are are met once each`() throws {
        let rig = try CommandRig()
        let count = DeadWalk.pageCount * 2 + 1
        for _ in 0..<count { try rig.buryUnparseable("{not json") }
        let left = try rig.run("dead", "replay", "--all", "--json").json()["still_unparseable"]
        #expect(left as? [Int] == Array(1...count))
    }

    @Test(arguments: [
        ["dead", "replay"], ["dead", "replay", "--all", "1"],
        ["dead", "replay", "1", "--status", "400"], ["dead", "replay", "--all", "--status", "400"],
        ["dead", "discard", "1"], ["dead", "discard", "--because", "x"],
    ])
    func `nothing changes by an accident of leaving something out`(
        arguments: [String]
    ) throws {
        let rig = try CommandRig()
        try rig.bury()
        #expect(rig.run(arguments).code == ExitCode.usage)
        #expect(try rig.statistics().count(.deadLetters) == 1)
    }

    @Test func `what can be read now goes back into the log, the rest is left`() throws {
        let rig = try CommandRig()
        try rig.buryUnparseable(#"{"object":"whatsapp_business_account","entry":[]}"#)
        try rig.buryUnparseable("{not json")
        let before = try rig.session.log.lastID()
        let outcome = rig.run("dead", "replay", "1", "2", "--json")
        #expect(outcome.code == ExitCode.failed)
        #expect(try outcome.json()["reread"] as? Int == 1)
        #expect(try outcome.json()["still_unparseable"] as? [Int] == [2])
        #expect(outcome.error.contains("2 is still unparseable"))
        #expect(try rig.session.log.lastID().rawValue == before.rawValue + 1)
        #expect(try rig.statistics().balances)
        // By a filter the same is no failure: a thousand letters are not held up by one.
        #expect(rig.run("dead", "replay", "--all").code == ExitCode.ok)
    }

    @Test func `raw sends unparseable bytes as they are`() throws {
        let rig = try CommandRig()
        try rig.buryUnparseable("{not json")
        let outcome = rig.run("dead", "replay", "1", "--raw", "--json")
        #expect(outcome.code == ExitCode.ok)
        let due = try rig.session.forward.claim(limit: 5, now: CommandRig.now, excluding: [])
        #expect(due.map(\.body) == [Array("{not json".utf8)])
        #expect(due.first?.replayCount == 1)
    }
}

@Suite struct DeadDiscardTests {
    @Test func `a discarded letter is gone, and the books know of it`() throws {
        let rig = try CommandRig()
        for _ in 0..<3 { try rig.bury() }
        let dry = rig.run("dead", "discard", "1", "--because", "a test", "--dry-run", "--json")
        #expect(try dry.json()["discarded"] as? Int == 1)
        #expect(try rig.statistics().count(.deadLetters) == 3)
        let one = rig.run("dead", "discard", "1", "9", "--because", "a test", "--json")
        #expect(one.code == ExitCode.notFound)
        #expect(try one.json()["discarded"] as? Int == 1)
        #expect(rig.run("dead", "discard", "--all", "--because", "a test").code == ExitCode.ok)
        let statistics = try rig.statistics()
        #expect(statistics.count(.deadLetters) == 0)
        #expect(statistics.count(.discarded) == 3)
        #expect(statistics.balances)
    }

    @Test func `a reason that the audit cannot keep is refused`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let long = String(repeating: "x", count: 1_001)
        #expect(rig.run("dead", "discard", "1", "--because", long).code == ExitCode.usage)
        #expect(rig.run("dead", "discard", "1", "--because", String(long.dropLast())).code == 0)
    }
}
