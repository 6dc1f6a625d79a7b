import Base
import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// ingest where the machine gives it less than it wants.
    @Suite struct TroubleTests {
        @Test func `a stopped program that holds the gate costs 503, and nothing else`() throws {
            let installation = try Installation(["GATE_WAIT_MAX": "100ms"])
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Self.status(1)) == 200)
            let holder = try Self.holdGate(of: installation)
            #expect(try waitUntil { try sender.post(Self.status(2)) == 503 })
            holder.signal(SIGSTOP)
            #expect(try installation.ingestHealth() == 200)
            // Reading goes on: what needs no gate is answered as ever.
            let unsigned = try BlockingHTTPClient(port: installation.ingestPort)
                .send("POST", "/webhook", body: Self.status(3))
            #expect(unsigned.status == 401)
            let handshake = try BlockingHTTPClient(port: installation.ingestPort)
                .send("GET", "/webhook?hub.mode=subscribe")
            #expect(handshake.status == 403)
            #expect(try sender.post(Self.status(4)) == 503)
            holder.signal(SIGCONT)
            holder.kill()
            #expect(sender.postUntilAcknowledged(Self.status(5)))
            installation.stopPrograms()
        }

        @Test func `SIGTERM ends ingest also while the gate is held`() throws {
            let installation = try Installation(["GATE_WAIT_MAX": "100ms"])
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            let holder = try Self.holdGate(of: installation)
            #expect(try waitUntil { try sender.post(Self.status(1)) == 503 })
            let ingest = try #require(installation.ingest)
            ingest.signal(SIGTERM)
            #expect(waitUntil { !isListening(on: installation.ingestPort) })
            // The last checkpoint waits for the gate; a second signal is in a hurry.
            ingest.signal(SIGTERM)
            waitUntil(within: .seconds(5)) { ingest.poll() != nil }
            holder.kill()
            #expect(ingest.waitForEnd() != nil)
        }

        @Test func `without descriptors it waits, does not spin, and goes on once there are some`()
            throws
        {
            let installation = try Installation()
            try installation.startIngest(by: #"ulimit -n 64; exec "$INGEST""#)
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Self.status(1)) == 200)
            let ingest = try #require(installation.ingest)
            var crowd: [BlockingHTTPClient] = []
            for _ in 0..<200 { crowd.append(try BlockingHTTPClient(port: installation.ingestPort)) }
            // Its own admin endpoint has no descriptor for us either: the process tells by its CPU.
            #expect(try sender.post(Self.status(2)) == 200)
            let before = try Self.cpuSeconds(of: ingest.processID)
            let start = MonotonicClock.now()
            #expect(
                try waitUntil {
                    _ = try sender.post(Self.status(3))
                    return MonotonicClock.now() - start > .seconds(2)
                })
            let used = try Self.cpuSeconds(of: ingest.processID) - before
            #expect(used < 1, "\(used) s of CPU in 2 s")
            crowd.removeAll()
            #expect(
                waitUntil {
                    (try? WhatsAppSender(port: installation.ingestPort).post(Self.status(4)))
                        == 200
                })
            #expect(try installation.ingestMetric("ingest_accept_pauses_total") > 0)
            installation.stopPrograms()
        }

        @Test func `a queue at its limit is answered 503, and 200 once it is drained`() throws {
            let installation = try Installation([
                "QUEUE_BYTES_MAX": "24MiB", "WAL_BYTES_MAX": "4MiB",
            ])
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            var acknowledgedCount = 0
            while try sender.post(Self.status(acknowledgedCount, padding: 200_000)) == 200 {
                acknowledgedCount += 1
                try #require(acknowledgedCount < 1_000, "the queue has no limit")
            }
            let refused = try BlockingHTTPClient(port: installation.ingestPort)
                .sendWebhook(Self.status(0))
            #expect(refused.status == 503)
            #expect(refused.fields["retry-after"] == "1")
            #expect(try installation.ingestHealth() == 200)
            #expect(try installation.ingestHealth("/readyz") == 503)
            try installation.startWorkers()
            #expect(sender.postUntilAcknowledged(Self.status(acknowledgedCount)))
            acknowledgedCount += 1
            try waitUntil(within: .seconds(60)) {
                try installation.lake.lines().count >= acknowledgedCount
            }
            installation.stopPrograms()
            #expect(try installation.lake.lines().count == acknowledgedCount)
        }

        @Test func `nothing of a request stands in the log`() throws {
            let installation = try Installation(["LOG_LEVEL": "debug", "LOG_FORMAT": "json"])
            try installation.startIngest()
            let marks = ["4915777000111", "MARKED\u{1b}[31m", "MARKED%0a"]
            for mark in marks {
                let client = try BlockingHTTPClient(port: installation.ingestPort)
                let request = "POST /\(mark) HTTP/1.1\r\nHost: \(mark)\r\nX: \(mark)\r\n\r\n"
                try client.write(Array(request.utf8))
                _ = try client.readAnswer()
            }
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Self.status(1)) == 200)
            installation.stopPrograms()
            let log = try String(
                contentsOfFile: installation.directory.file("ingest.log"), encoding: .utf8)
            for hidden in marks + [
                "MARKED", "wamid", Installation.secret, Installation.verifyToken,
            ] {
                #expect(!log.contains(hidden), "\(hidden)")
            }
        }

        /// One process that holds the gate until it is killed.
        private static func holdGate(of installation: Installation) throws -> ChildProcess {
            let script = #"exec 9<>"$0"; flock 9; exec sleep 600"#
            return try ChildProcess(
                "/bin/bash", ["-c", script, installation.queuePath + ".gate"],
                environment: ["PATH": "/usr/bin:/bin"], outputPath: "/dev/null")
        }

        static func status(_ number: Int, padding: Int = 0) -> [UInt8] {
            let id = "wamid.TROUBLE\(number)" + String(repeating: "=", count: padding)
            return Webhook.status("sent", id: id)
        }

        private static func cpuSeconds(of process: pid_t) throws -> Double {
            let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            try #require(fields.count > 13)
            let ticks = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
            return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }
}
