import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What Prometheus gets to see of the real programs, judged by Prometheus' own tool.
    @Suite struct MetricsTests {
        private static let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

        @Test func `promtool finds nothing wrong with either program's metrics`() throws {
            let installation = try Installation(["FORWARD_REFUSALS_MAX": "1"])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Webhook.status("sent", id: "wamid.METRIC==")) == 200)
            #expect(try sender.post(Webhook.text("x", from: "491", id: "wamid.TEXT==")) == 200)
            #expect(try sender.post(Array("no JSON".utf8)) == 200)
            try waitUntil { try installation.receiver.taken().count == 1 }
            for admin in [installation.ingestAdmin, installation.workersAdmin] {
                let text = try Self.metrics(admin)
                let path = installation.directory.file("metrics.txt")
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                let (status, words) = try Self.promtool(
                    "check", "metrics", input: path, in: installation.directory)
                #expect(status == 0 && words.isEmpty, "\(words)")
            }
        }

        @Test func `what the programs show is what the page lists`() throws {
            let installation = try Installation()
            try installation.startAll()
            let shown = try [installation.ingestAdmin, installation.workersAdmin]
                .flatMap { try Self.families(in: Self.metrics($0)) }
            let page = try String(
                contentsOf: Self.root.appendingPathComponent("docs/OPERATIONS.md"),
                encoding: .utf8)
            let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
            let listed = rows.compactMap { row -> String? in
                let cells = row.split(separator: "|").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                guard ["counter", "gauge", "histogram"].contains(cells[1]) else { return nil }
                return cells[0].trimmingCharacters(in: ["`"]) + " " + cells[1]
            }
            #expect(Set(listed).subtracting(shown).sorted() == [], "listed and not shown")
            #expect(Set(shown).subtracting(listed).sorted() == [], "shown and not listed")
        }

        @Test func `the figures of the queue are those that status says`() throws {
            let installation = try Installation(["LAKE_BATCH_AGE_MAX": "10m"])
            // Nobody listens at PHP's port: deliveries wait.
            try installation.startWorkers()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            for number in 1...3 {
                let body = Webhook.text("x", from: "49\(number)", id: "wamid.W\(number)==")
                #expect(try sender.post(body) == 200)
            }
            #expect(try sender.post(Array("no JSON".utf8)) == 200)
            let wanted = [
                "workers_queue_waiting_deliveries 3",
                #"workers_queue_dead_letters{reason="unparseable"} 1"#,
                #"workers_queue_dead_letters{reason="refused"} 0"#,
                #"workers_queue_lag_webhooks{consumer="forward"} 0"#,
                "workers_queue_balances 1",
                #"pipeline_ready{program="workers"} 1"#,
            ]
            var missing = wanted
            try waitUntil {
                let lines = try Self.metrics(installation.workersAdmin).split(separator: "\n")
                missing = wanted.filter { !lines.contains(Substring($0)) }
                return missing.isEmpty
            }
            #expect(missing == [])
            let status = try installation.pipelinectlObject("status")
            #expect((status["forward"] as? [String: Any])?["waiting_deliveries"] as? Int == 3)
            #expect((status["dead_letters"] as? [String: Any])?["count"] as? Int == 1)
            let text = try Self.metrics(installation.workersAdmin)
            #expect(Self.value("workers_queue_waiting_age_seconds", in: text) > 0)
            #expect(Self.value("workers_queue_database_bytes", in: text) > 0)
            #expect(Self.value("workers_queue_wal_bytes", in: text) > 0)
            #expect(Self.value("process_resident_memory_bytes", in: text) > 1_000_000)
            #expect(Self.value("process_open_fds", in: text) > 5)
        }

        @Test func `promtool accepts the rules, and each fires when it should`() throws {
            let directory = try TemporaryDirectory()
            let folder = Self.root.appendingPathComponent("deploy/prometheus").path
            for arguments in [
                ["check", "config", folder + "/prometheus.yml"],
                ["test", "rules", folder + "/alerts_test.yml"],
            ] {
                let (status, words) = try Self.promtool(
                    arguments, input: "/dev/null", in: directory)
                #expect(status == 0, "\(words)")
            }
        }

        private static func metrics(_ port: UInt16) throws -> String {
            let answer = try BlockingHTTPClient(port: port).send("GET", "/metrics")
            #expect(answer.status == 200)
            return String(decoding: answer.body, as: UTF8.self)
        }

        /// `name kind` of each family.
        private static func families(in text: String) -> [String] {
            text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                .map { String($0.dropFirst("# TYPE ".count)) }
        }

        private static func value(_ name: String, in text: String) -> Double {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            return line.flatMap { Double($0.dropFirst(name.count + 1)) } ?? .nan
        }

        private static func promtool(
            _ arguments: String...,
            input: String,
            in directory: TemporaryDirectory
        ) throws -> (status: Int32, words: String) {
            try promtool(arguments, input: input, in: directory)
        }

        private static func promtool(
            _ arguments: [String],
            input: String,
            in directory: TemporaryDirectory
        ) throws -> (status: Int32, words: String) {
            let own = root.appendingPathComponent(".tools/promtool").path
            let program = FileManager.default.isExecutableFile(atPath: own) ? own : "promtool"
            let child = try ChildProcess(
                "/bin/sh",
                ["-c", #"input=$1; shift; exec "$@" <"$input""#, "sh", input, program]
                    + arguments,
                environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
                outputPath: directory.file("promtool-\(UUID().uuidString).log"))
            guard case .exited(let status) = child.waitForEnd() else { return (-1, child.output) }
            return (status, child.output)
        }
    }
}
