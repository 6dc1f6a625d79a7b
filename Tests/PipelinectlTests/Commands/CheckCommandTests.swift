import Base
import Foundation
import Glibc
import Queue
import Testing

@testable import pipelinectl

@Suite struct CheckCommandTests {
    private func verdicts(_ rig: CommandRig) throws -> [String: String] {
        let pairs = try rig.run("check", "--json").items().compactMap {
            finding -> (String, String)? in
            guard let id = finding["id"] as? String, let verdict = finding["verdict"] as? String
            else { return nil }
            return (id, verdict)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func `an installation in order has nothing that fails`() throws {
        let server = try StubServer { request in
            let sqlite = SQLiteLibrary.version
            let build = #"program="ingest",sqlite="\#(sqlite)",version="\#(Release.version)""#
            let other = build.replacingOccurrences(of: "ingest", with: "workers")
            let metrics = """
                pipeline_build_info{\(build)} 1
                pipeline_build_info{\(other)} 1
                process_max_fds 100000
                workers_forward_breaker_state{state="closed"} 1

                """
            return StubServer.answer(200, request.contains("/metrics") ? metrics : "ok")
        }
        defer { server.stop() }

        let rig = try CommandRig()
        rig.environment["INGEST_LISTEN"] = "127.0.0.1:\(server.port)"
        chmod(rig.location.directory, 0o700)
        for key in ["INGEST_ADMIN_LISTEN", "WORKERS_ADMIN_LISTEN"] {
            rig.environment[key] = "127.0.0.1:\(server.port)"
        }
        rig.environment["FORWARD_URL"] = "http://127.0.0.1:\(server.port)/hook"
        rig.environment["WHATSAPP_VERIFY_TOKEN"] = "token"
        rig.environment["LAKE_URL"] = "file:" + rig.directory.file("lake")
        rig.environment["DISK_FREE_BYTES_MIN"] = "1"
        let outcome = rig.run("check", "--json")
        #expect(outcome.code == ExitCode.ok, "\(outcome.output)")
        let verdicts = try verdicts(rig)
        #expect(
            Set(verdicts.keys) == [
                "configuration", "queue.directory", "queue.filesystem", "queue.file", "queue.disk",
                "sqlite.version", "queue.gate", "queue.schema", "queue.books",
                "queue.dead_letters", "clock", "ingest", "ingest.port", "ingest.version",
                "ingest.descriptors", "workers", "workers.version", "breaker", "php", "lake",
            ])
        for (id, verdict) in verdicts where id != "queue.filesystem" && id != "clock" {
            #expect(verdict == "ok", "\(id)")
        }
    }

    @Test func `everything that is wrong is said at once`() throws {
        let rig = try CommandRig()
        rig.environment["FORWARD_TIMEOUT"] = "soon"
        rig.environment["FORWARD_URL"] = "http://127.0.0.1:1/"
        rig.environment["LAKE_URL"] = "file:" + rig.location.path
        rig.environment["DISK_FREE_BYTES_MIN"] = "1000000000GiB"
        try rig.bury()
        let outcome = rig.run(["check"], reader: .person(colour: false))
        #expect(outcome.code == ExitCode.failed)
        for text in ["FORWARD_TIMEOUT", "WHATSAPP_VERIFY_TOKEN is required"] {
            #expect(outcome.output.contains(text))
        }
        let verdicts = try verdicts(rig)
        for id in ["configuration", "ingest", "workers", "php", "lake"] {
            #expect(verdicts[id] == "fail", "\(id)")
        }
        #expect(verdicts["queue.dead_letters"] == "warn")
        #expect(outcome.output.contains("→ start ingest"))
    }

    @Test func `what other users can read is worth a warning`() throws {
        let rig = try CommandRig()
        chmod(rig.location.directory, 0o755)
        chmod(rig.location.path, 0o644)
        let verdicts = try verdicts(rig)
        #expect(verdicts["queue.directory"] == "warn")
        #expect(verdicts["queue.file"] == "warn")
    }

    @Test func `a queue that is not there yet is no failure of its own`() throws {
        let rig = try CommandRig()
        rig.environment["QUEUE_PATH"] = rig.directory.file("new.db")
        let verdicts = try verdicts(rig)
        #expect(verdicts["queue.file"] == "warn")
        #expect(verdicts["queue.schema"] == nil)
        #expect(verdicts["sqlite.version"] == "ok")
        rig.environment["QUEUE_PATH"] = rig.directory.file("no/such/new.db")
        #expect(try self.verdicts(rig)["queue.directory"] == "fail")
    }

    @Test func `a damaged queue fails with the words of the queue`() throws {
        let rig = try CommandRig()
        let path = rig.directory.file("damaged.db")
        try Data(repeating: 0x41, count: 40_000).write(to: URL(fileURLWithPath: path))
        rig.environment["QUEUE_PATH"] = path
        #expect(try verdicts(rig)["queue.schema"] == "fail")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: path)) == Data(repeating: 0x41, count: 40_000)
        )
    }

    @Test func `a program that is not ready, and another one, are told apart`() throws {
        let server = try StubServer { request in
            request.contains("/readyz")
                ? StubServer.answer(503, "disk\u{1B} low") : StubServer.answer(200, "ok")
        }
        defer { server.stop() }

        let address = ListenAddress(host: "127.0.0.1", port: server.port)
        let finding = ProgramCheck(program: "ingest", admin: address, key: "K").finding()
        #expect(finding.verdict == .fail)
        #expect(finding.text == "runs, and cannot do its work: disk\\u001b low")

        let other = try StubServer { _ in StubServer.answer(404, "") }
        defer { other.stop() }

        let strange = ListenAddress(host: "127.0.0.1", port: other.port)
        let odd = ProgramCheck(program: "ingest", admin: strange, key: "K").finding()
        #expect(odd.text.contains("answers /healthz with 404"))
    }
}

@Suite struct CheckPartsTests {
    @Test(arguments: [
        ("localhost", true), ("127.9.9.9", true), ("10.1.2.3", true), ("192.168.0.1", true),
        ("172.16.0.1", true), ("172.31.0.1", true), ("172.32.0.1", false), ("172.15.0.1", false),
        ("192.169.0.1", false), ("8.8.8.8", false), ("example.org", false), ("php", true),
        ("::1", true), ("fd00::1", true), ("2001:db8::1", false), ("1.2.3", false),
    ])
    func `hosts near and far are told apart`(host: String, isNear: Bool) {
        #expect(ReceiverCheck.isNear(host) == isNear)
    }

    @Test func `plain http to far away is worth a warning, which needs no connection to test`() {
        #expect(ReceiverCheck(url: "").finding().verdict == .fail)
        #expect(ReceiverCheck(url: "php.example").finding().verdict == .fail)
        #expect(ReceiverCheck(url: "http://127.0.0.1:1/").finding().text.contains("refused"))
    }

    @Test(arguments: [
        ("file:var/lake", "var/lake"), ("file:///srv/lake", "/srv/lake"),
        ("file:/srv/lake", "/srv/lake"),
    ])
    func `the lake's directory is found in its URL`(url: String, path: String) {
        #expect(LakeCheck.directory(of: url) == path)
    }

    @Test(arguments: ["s3://bucket/x", "firehose://x", "file:", "file://host/x", "var/lake"])
    func `other lakes are no directories`(url: String) {
        #expect(LakeCheck.directory(of: url) == nil)
        #expect(LakeCheck(url: url).finding().verdict == .warn)
    }

    @Test func `a writable lake is left as it was`() throws {
        let rig = try CommandRig()
        let path = rig.directory.file("lake")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #expect(LakeCheck(url: "file:" + path).finding().verdict == .ok)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
    }

    @Test func `a clock that goes wrong is told from one that nobody keeps`() {
        let now = CommandRig.now
        let check = { (now: Timestamp, state: ClockCheck.Discipline, received: Timestamp?) in
            ClockCheck(now: now, discipline: state, receivedAt: received).finding()
        }
        #expect(check(now, .synchronized, now - .seconds(60)).verdict == .ok)
        #expect(check(now, .synchronized, now + .seconds(4)).verdict == .ok)
        #expect(check(now, .free, nil).verdict == .warn)
        #expect(check(now, .synchronized, now + .seconds(6)).text.contains("was set back"))
        #expect(check(Timestamp(rawValue: 0), .synchronized, nil).verdict == .fail)
    }

    @Test func `who can read or write the settings`() throws {
        let rig = try CommandRig()
        let path = rig.directory.file("pipeline.env")
        try Data("QUEUE_PATH=\(rig.location.path)\n".utf8).write(to: URL(fileURLWithPath: path))
        for (mode, verdict) in [(0o600, "ok"), (0o640, "ok"), (0o644, "warn"), (0o660, "fail")] {
            chmod(path, mode_t(mode))
            let items = try rig.run("check", "--config", path, "--json").items()
            let found = items.first { $0["id"] as? String == "configuration.file" }
            #expect(found?["verdict"] as? String == verdict, "\(String(mode, radix: 8))")
        }
    }

    @Test func `the port of ingest: taken, free, silent, of another machine`() throws {
        let server = try StubServer { _ in StubServer.answer(200, "") }
        let taken = ListenAddress(host: "127.0.0.1", port: server.port)
        #expect(ListenCheck(address: taken, isRunning: true).finding().verdict == .ok)
        #expect(
            ListenCheck(address: taken, isRunning: false).finding().text
                == "another program listens at \(taken)")
        server.stop()
        #expect(ListenCheck(address: taken, isRunning: false).finding().verdict == .ok)
        #expect(ListenCheck(address: taken, isRunning: true).finding().verdict == .fail)
        let strange = ListenAddress(host: "192.0.2.1", port: 8_080)
        #expect(
            ListenCheck(address: strange, isRunning: false).finding().text
                .contains("no address of this machine"))
    }

    @Test func `an older program, too few descriptors and an open breaker are seen`() {
        let metrics = PrometheusText(
            """
            pipeline_build_info{program="ingest",sqlite="3.1.0",version="0.0.1"} 1
            process_max_fds 1024
            workers_forward_breaker_state{destination="default",state="closed"} 1
            workers_forward_breaker_state{destination="default",state="open"} 0
            workers_forward_breaker_state{destination="crm",state="closed"} 0
            workers_forward_breaker_state{destination="crm",state="open"} 1

            """)
        let check = MetricsCheck(program: "ingest", metrics: metrics)
        #expect(check.versionFinding().verdict == .warn)
        #expect(check.descriptorFinding(connectionsMax: 1_000).verdict == .warn)
        #expect(check.descriptorFinding(connectionsMax: 960).verdict == .ok)
        #expect(check.breakerFinding().verdict == .fail)
        let silent = MetricsCheck(program: "workers", metrics: PrometheusText(""))
        #expect(silent.breakerFinding().verdict == .warn)
    }

    @Test func `the longest mount point above a path decides, the last of equals`() {
        let table = MountTable(
            """
            21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            22 21 0:20 / /srv rw - nfs4 server:/x rw
            23 21 0:21 / /srv/with\\040blank rw - tmpfs tmpfs rw
            24 21 0:22 / /srv rw shared:5 master:1 - xfs /dev/sdb rw
            not a line
            """)
        #expect(table.type(of: "/var/lib") == "ext4")
        #expect(table.type(of: "/srv") == "xfs")
        #expect(table.type(of: "/srv/queue") == "xfs")
        #expect(table.type(of: "/srv/with blank/x") == "tmpfs")
        #expect(table.type(of: "/srvx") == "ext4")
        #expect(MountTable("").type(of: "/") == nil)
    }
}
