import Base
import Foundation
import Queue
import Testing

@testable import pipelinectl

@Suite struct StatusCommandTests {
    @Test func `every documented key is there, whatever the queue holds`() throws {
        let rig = try CommandRig()
        let json = try rig.run("status", "--json").json()
        for key in ["queue", "log", "lake", "forward", "dead_letters", "breaker", "books", "sizes"]
        {
            #expect(json[key] is [String: Any], "\(key)")
        }
        let breaker = json["breaker"] as? [String: Any]
        #expect(breaker?["state"] as? String == "unknown")
        #expect(breaker?["detail"] as? String == "workers not reachable")
        #expect((json["books"] as? [String: Any])?["balances"] as? Bool == true)
    }

    @Test func `the figures are those of the queue`() throws {
        let rig = try CommandRig()
        try rig.bury()
        try rig.deliver()
        let json = try rig.run("status", "--json").json()
        #expect((json["log"] as? [String: Any])?["last_id"] as? Int == 2)
        #expect((json["lake"] as? [String: Any])?["lag"] as? Int == 2)
        let forward = json["forward"] as? [String: Any]
        #expect(forward?["lag"] as? Int == 0)
        #expect(forward?["waiting_deliveries"] as? Int == 1)
        let dead = json["dead_letters"] as? [String: Any]
        #expect(dead?["count"] as? Int == 1)
        #expect(dead?["by_reason"] as? [String: Int] == ["refused": 1])
    }

    @Test func `a pipe gets the same as lines, a person words`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let plain = rig.run("status").output
        #expect(plain.contains("dead_letters.count\t1\n"))
        #expect(plain.contains("breaker.state\tunknown\n"))
        let text = rig.run(["status"], reader: .person(colour: false)).output
        #expect(text.contains("dead letters  1 (refused 1), the oldest for 1 h\n"))
        #expect(text.contains("breaker       unknown (workers not reachable)\n"))
        #expect(text.contains("books         balance\n"))
        #expect(!text.contains("\u{1B}"))
        #expect(rig.run(["status"], reader: .person(colour: true)).output.contains("\u{1B}[31m"))
    }

    @Test func `the breaker's state comes from the workers`() throws {
        let server = try StubServer { _ in
            StubServer.answer(
                200,
                """
                # TYPE workers_forward_breaker_state gauge
                workers_forward_breaker_state{state="closed"} 0
                workers_forward_breaker_state{state="half-open"} 0
                workers_forward_breaker_state{state="open"} 1

                """)
        }
        defer { server.stop() }

        let rig = try CommandRig()
        rig.environment["WORKERS_ADMIN_LISTEN"] = "127.0.0.1:\(server.port)"
        let json = try rig.run("status", "--json").json()
        #expect((json["breaker"] as? [String: Any])?["state"] as? String == "open")
        #expect(server.requests[0].hasPrefix("GET /metrics HTTP/1.1\r\n"))
    }

    @Test(arguments: [
        "", "other 1\n", "workers_forward_breaker_state{state=\"open\"} 0\n",
        "workers_forward_breaker_state 1\n", "workers_forward_breaker_state{x=\"y\"} 1\n",
    ])
    func `metrics without the state say that it is unknown`(metrics: String) {
        let state = BreakerState.read(metrics: metrics)
        #expect(state == .unknown(why: "no forward pool runs in these workers"))
    }

    @Test func `a missing queue, a strange file and a damaged one are one line each`() throws {
        let rig = try CommandRig()
        rig.environment["QUEUE_PATH"] = rig.directory.file("none.db")
        let missing = rig.run("status")
        #expect(missing.code == ExitCode.failed)
        #expect(missing.error.hasPrefix("pipelinectl: no queue at "))
        #expect(!FileManager.default.fileExists(atPath: rig.directory.file("none.db")))

        let strange = rig.directory.file("strange.db")
        try Data("this is no database, and long enough to be looked at".utf8)
            .write(to: URL(fileURLWithPath: strange))
        rig.environment["QUEUE_PATH"] = strange
        let outcome = rig.run("status")
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.error.split(separator: "\n").count == 1)
        #expect(outcome.error.contains("not a queue"))
    }

    @Test func `two mistakes in the configuration are both said`() throws {
        let rig = try CommandRig()
        rig.environment["WORKERS_ADMIN_LISTEN"] = "nowhere"
        rig.environment["QUEUE_PATH"] = ""
        let outcome = rig.run("status")
        #expect(outcome.code == ExitCode.configuration)
        #expect(outcome.error.split(separator: "\n").count == 2)
        #expect(outcome.error.contains("WORKERS_ADMIN_LISTEN"))
        #expect(outcome.error.contains("QUEUE_PATH"))
    }

    @Test func `settings may stand in a file`() throws {
        let rig = try CommandRig()
        let file = rig.directory.file("pipeline.env")
        try Data("QUEUE_PATH=\(rig.location.path)\nWORKERS_ADMIN_LISTEN=127.0.0.1:1\n".utf8)
            .write(to: URL(fileURLWithPath: file))
        rig.environment = [:]
        #expect(rig.run("status", "--config", file).code == ExitCode.ok)
        #expect(rig.run("status", "--config", file + "x").code == ExitCode.configuration)
    }
}

@Suite struct HelpAndVersionTests {
    @Test func `help as JSON lists every command by its id`() throws {
        let outcome = CommandRig.run(["help", "--json"])
        let ids = try outcome.items().compactMap { $0["id"] as? String }
        #expect(ids == CommandList.all.map { $0.specification.name })
        #expect(try CommandRig.run(["help", "dead", "--json"]).items().count == 7)
    }

    @Test func `help on nothing that exists is a mistake`() {
        let outcome = CommandRig.run(["help", "stats"])
        #expect(outcome.code == ExitCode.usage)
        #expect(outcome.error.contains("did you mean \"status\"?"))
        #expect(CommandRig.run(["help", "dead"]).code == ExitCode.ok)
        #expect(CommandRig.run([]).code == ExitCode.usage)
        #expect(CommandRig.run(["dead", "--help"]).code == ExitCode.ok)
    }

    @Test func `the version names the schema and SQLite`() throws {
        let json = try CommandRig.run(["--version", "--json"]).json()
        #expect(json["version"] as? String == Release.version)
        #expect(json["schema_version"] as? Int == QueueSession.newestSchemaVersion)
    }
}

@Suite struct SystemUserTests {
    @Test func `the caller of sudo is named, else the user of the process`() {
        #expect(SystemUser.name(environment: ["SUDO_USER": "alice"]) == "alice")
        #expect(SystemUser.name(environment: ["SUDO_USER": "a\nb\u{1B}"]) == "a\\nb\\u001b")
        #expect(!SystemUser.name(environment: [:]).isEmpty)
        let own = SystemUser.name(environment: [:])
        #expect(SystemUser.name(environment: ["SUDO_USER": ""]) == own)
    }
}
