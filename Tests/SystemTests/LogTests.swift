import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What both programs write: for people, for machines, and never what is nobody's business.
    @Suite struct LogTests {
        private static let wamid = "wamid.HBgLNDkxNTEwMDAwMDAVAgARGBI="
        private static let sender = "4915100000077"

        private static func lines(_ name: String, _ installation: Installation) throws
            -> [[String: Any]]
        {
            let path = installation.directory.file(name + ".log")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try text.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return try #require(object as? [String: Any])
            }
        }

        private static func line(
            _ message: String,
            in lines: [[String: Any]],
            where field: String,
            is value: String
        ) -> [String: Any]? {
            lines.first { $0["message"] as? String == message && "\($0[field] ?? "")" == value }
        }

        @Test func `one message can be followed through both programs`() throws {
            let installation = try Installation(["LOG_LEVEL": "debug", "LOG_FORMAT": "json"])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Webhook.status("sent", id: Self.wamid)) == 200)
            let message = Webhook.text("private words", from: Self.sender, id: Self.wamid)
            #expect(try sender.post(message) == 200)
            try waitUntil { try installation.receiver.taken().count == 1 }
            try waitUntil { try installation.lake.lines().count == 1 }
            installation.stopPrograms()

            let ingest = try Self.lines("ingest", installation)
            let workers = try Self.lines("workers", installation)
            let stored = ingest.filter { $0["message"] as? String == "webhook stored" }
            #expect(stored.compactMap { $0["webhook"] as? Int } == [1, 2])
            // The status: webhook 1, to its line in the lake.
            let status = try #require(
                Self.line("status read for the lake", in: workers, where: "webhook", is: "1"))
            let inLake = try JSON.object(installation.lake.lines()[0])
            #expect(status["event"] as? String == inLake["event_key"] as? String)
            let sealed = try #require(
                Self.line("batch sealed", in: workers, where: "first_webhook", is: "1"))
            #expect(sealed["object"] is String)
            // The message: webhook 2, to what PHP was given.
            let event = try #require(
                Self.line("event read for PHP", in: workers, where: "webhook", is: "2"))
            #expect((event["event"] as? String)?.utf8.count == 32)
            let made = try #require(
                Self.line("delivery made", in: workers, where: "webhook", is: "2"))
            let delivered = try #require(
                Self.line("delivered", in: workers, where: "webhook", is: "2"))
            #expect(made["delivery_id"] as? String == delivered["delivery_id"] as? String)
            let arrival = try #require(try installation.receiver.taken().first)
            #expect(arrival.headers.contains { $0.value == delivered["delivery_id"] as? String })
        }

        @Test func `no body, phone number or secret is logged at any level`() throws {
            let installation = try Installation([
                "LOG_LEVEL": "debug", "FORWARD_REFUSALS_MAX": "1",
                "FORWARD_HEADERS": "X-Firewall: a very secret header",
            ])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Webhook.status("sent", id: Self.wamid)) == 200)
            let message = Webhook.text("private words", from: Self.sender, id: Self.wamid)
            #expect(try sender.post(message) == 200)
            #expect(try sender.post(Array("private and no JSON".utf8)) == 200)
            #expect(try WhatsAppSender(port: installation.ingestPort, secret: "x").post([1]) == 401)
            try waitUntil { try installation.receiver.taken().count == 1 }
            installation.stopPrograms()
            for name in ["ingest", "workers"] {
                let text = try String(
                    contentsOfFile: installation.directory.file(name + ".log"), encoding: .utf8)
                #expect(text.contains(" settings QUEUE_PATH="))
                for secret in [
                    "private", Self.sender, Self.wamid, "wamid", Installation.secret,
                    Installation.verifyToken, "very secret",
                ] {
                    #expect(!text.contains(secret), "\(secret) stands in the log of \(name)")
                }
            }
        }

        @Test func `the start says which settings hold, given or not`() throws {
            let installation = try Installation(["LOG_FORMAT": "json", "GATE_WAIT_MAX": "3s"])
            try installation.startAll()
            installation.stopPrograms()
            let ingest = try Self.lines("ingest", installation)
            let started = try #require(ingest.first { $0["message"] as? String == "started" })
            #expect(started["version"] as? String == "0.1.0")
            let settings = try #require(ingest.first { $0["message"] as? String == "settings" })
            #expect(settings["GATE_WAIT_MAX"] as? String == "3s")
            #expect(settings["INGEST_BODY_BYTES_MAX"] as? String == "4MiB")
            #expect(settings["WHATSAPP_APP_SECRET"] as? String == "<secret>")
            #expect(settings["FORWARD_URL"] == nil)
            let workers = try Self.lines("workers", installation)
            let others = try #require(workers.first { $0["message"] as? String == "settings" })
            #expect(others["FORWARD_URL"] as? String == installation.receiver.url)
            #expect(others["RETAIN_DELIVERED"] as? String == "7d")
        }
    }
}
