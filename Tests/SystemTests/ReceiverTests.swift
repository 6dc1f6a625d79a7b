import Foundation
import TestSupport
import Testing
import WhatsApp

extension SystemTests {
    /// The receivers of examples/php behind the real pipeline, each under `php -S` and under
    /// php-fpm behind nginx.
    @Suite struct ReceiverTests {
        typealias Application = PHPSite.Application
        typealias Server = PHPSite.Server

        @Test(arguments: Application.allCases, Server.allCases)
        func `whatever comes is taken once, and once more when it is replayed`(
            application: Application, server: Server
        ) throws {
            let (installation, site) = try start(application, server)
            let fixtures = try Fixture.files()
            let sender = WhatsAppSender(port: installation.ingestPort)
            // WhatsApp resends what it saw no answer to.
            for fixture in try fixtures + fixtures.filter(Self.holdsOnlyMessages) {
                #expect(try sender.post(fixture.body) == 200, "\(fixture.name)")
            }
            let deliveries = "select * from \(application.deliveryTable)"
            let count = fixtures.map { $0.forwarded.bodyCount }.reduce(0, +)
            try waitUntil(within: .seconds(60)) { try site.rows(deliveries).count >= count }
            let events = try site.rows("select * from \(application.eventTable)")
            #expect(try site.rows(deliveries).count == count)
            let messages = events.compactMap { $0["message_id"] as? String }
                .filter { $0.hasPrefix("wamid.") }
            #expect(messages.count >= 20)
            #expect(Set(messages).count == messages.count, "one was taken twice")

            #expect(try installation.pipelinectl("replay", "--since", "1h").status == 0)
            try waitUntil(within: .seconds(60)) {
                try site.rows(deliveries + " where replay = 1").count >= count
            }
            let again = try site.rows("select * from \(application.eventTable) where replay = 1")
            #expect(try keys(again) == keys(events), "the same work, in one more replay")
            installation.stopPrograms()
        }

        @Test(arguments: Application.allCases)
        func `a delivery that comes again is answered 200 and does nothing`(
            application: Application
        ) throws {
            let (site, poster) = try alone(application)
            let body = Webhook.text("one", from: "4915850001", id: "wamid.ONE")
            let ids = [("X-Delivery-Id", "0123456789abcdef")]
            for _ in 0..<3 { #expect(try poster.post(body, ids) == 200) }
            let replay = ids + [("X-Delivery-Replay", "1")]
            for _ in 0..<2 { #expect(try poster.post(body, replay) == 200) }
            let rows = try site.rows("select replay from \(application.eventTable) order by 1")
            #expect(rows.map { $0["replay"] as? Int } == [0, 1])
        }

        @Test(arguments: Application.allCases)
        func `each entry of a batch is a delivery of its own`(application: Application) throws {
            let (site, poster) = try alone(application)
            let ids = ["a", "b", "c"]
            let batch = Self.batch(ids)
            #expect(try poster.post(Self.batch(["b"]), [("X-Delivery-Id", "b")]) == 200)
            let header = [("X-Delivery-Id", ids.joined(separator: ", "))]
            for _ in 0..<2 { #expect(try poster.post(batch, header) == 200) }
            let rows = try site.rows(
                "select delivery_id, message_id from \(application.eventTable) order by 1")
            #expect(rows.map { $0["message_id"] as? String } == ids.map { "wamid.\($0)" })
            #expect(rows.map { $0["delivery_id"] as? String } == ids)
            // Not guessed at: what belongs to which id is not known.
            #expect(try poster.post(batch, [("X-Delivery-Id", "x,y")]) == 500)
            #expect(try site.rows("select * from \(application.eventTable)").count == 3)
        }

        @Test(arguments: Application.allCases)
        func `a backlog comes in batches, and one bad message fails alone`(
            application: Application
        ) throws {
            let count = 40
            let installation = try Installation([
                "FORWARD_BATCH_MAX": "10", "FORWARD_CONCURRENCY": "2", "FORWARD_ATTEMPTS_MAX": "3",
                "FORWARD_BACKOFF_MAX": "100ms",
            ])
            let site = try PHPSite(application, on: .fpm)
            installation.forward(to: site.url)
            try site.execute(
                "create trigger refuse before insert on \(application.eventTable) "
                    + "when new.message_id = 'wamid.7' "
                    + "begin select raise(abort, 'this one never'); end")
            try site.start()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            for number in 1...count {
                let body = Webhook.text("n", from: "49158500\(number)", id: "wamid.\(number)")
                #expect(try sender.post(body) == 200)
            }
            try installation.startWorkers()
            let messages = "select message_id from \(application.eventTable)"
            try waitUntil(within: .seconds(60)) {
                let letters = try installation.pipelinectlObject("dead", "list")
                return try site.rows(messages).count >= count - 1
                    && (letters["items"] as? [Any])?.count == 1
            }
            #expect(try site.rows(messages).count == count - 1)
            #expect(site.requestCount < count, "they came one by one")
            try site.execute("drop trigger refuse")
            #expect(try installation.pipelinectl("dead", "replay", "--all").status == 0)
            try waitUntil { try site.rows(messages).count >= count }
            let taken = try site.rows(messages).compactMap { $0["message_id"] as? String }
            #expect(taken.count == count && Set(taken).count == count)
            installation.stopPrograms()
        }

        @Test(arguments: Application.allCases)
        func `what nobody signed is answered 401 and leaves nothing`(
            application: Application
        ) throws {
            let (site, poster) = try alone(application)
            let body = Webhook.text("one", from: "4915850001", id: "wamid.ONE")
            let headers = [("X-Delivery-Id", "1")]
            #expect(try poster.post(body, headers, secret: "another") == 401)
            #expect(try poster.post(body, headers, signature: nil) == 401)
            #expect(try poster.post(body, headers, signature: "sha256=") == 401)
            #expect(try site.rows("select * from \(application.deliveryTable)").isEmpty)
        }

        @Test(arguments: Application.allCases, ["0", "1"])
        func `work that fails is answered 500 and leaves nothing, and is done when it comes again`(
            application: Application, debug: String
        ) throws {
            let (site, poster) = try alone(application, ["DB_DEBUG": debug])
            try site.execute(
                "create trigger refuse before insert on \(application.eventTable) "
                    + "begin select raise(abort, 'no room'); end")
            let body = Webhook.text("one", from: "4915850001", id: "wamid.ONE")
            #expect(try poster.post(body, [("X-Delivery-Id", "1")]) == 500)
            #expect(try site.rows("select * from \(application.deliveryTable)").isEmpty)
            try site.execute("drop trigger refuse")
            #expect(try poster.post(body, [("X-Delivery-Id", "1")]) == 200)
            #expect(try site.rows("select * from \(application.eventTable)").count == 1)
        }

        @Test(arguments: Application.allCases)
        func `it takes what WhatsApp sends by itself, for the way back`(
            application: Application
        ) throws {
            let (site, poster) = try alone(application)
            let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
            let token = "token%20with%20spaces%20%26%20signs"
            #expect(try poster.get(query + token) == "200 1158201444")
            #expect(try poster.get(query + "wrong").hasPrefix("403"))
            for number in [1, 2, 2] {
                let body = Webhook.text("n", from: "4915850001", id: "wamid.\(number)")
                #expect(try poster.post(body, []) == 200)
            }
            #expect(try site.rows("select * from \(application.eventTable)").count == 2)
        }

        @Test(arguments: [
            (Application.codeIgniter3, "config/config.php", "csrf_exclude_uris"),
            (Application.codeIgniter4, "Config/Filters.php", "'csrf' =>"),
        ])
        func `without its exemption the framework refuses every delivery with 403`(
            application: Application, file: String, line: String
        ) throws {
            let directory = try TemporaryDirectory()
            let copy = directory.file("app")
            try FileManager.default.copyItem(atPath: application.folder, toPath: copy)
            let text = try String(contentsOfFile: copy + "/" + file, encoding: .utf8)
            let changed = text.replacingOccurrences(of: "'webhook'", with: "'another'")
            #expect(changed != text && text.contains(line))
            try changed.write(toFile: copy + "/" + file, atomically: true, encoding: .utf8)
            let (_, poster) = try alone(application, ["APPLICATION_DIRECTORY": copy])
            let body = Webhook.text("one", from: "4915850001", id: "wamid.ONE")
            #expect(try poster.post(body, [("X-Delivery-Id", "1")]) == 403)
            withExtendedLifetime(directory) {}
        }

        // MARK: Making them

        /// A resend of these is known as one; whatever else comes twice means something each time.
        private static func holdsOnlyMessages(_ fixture: Fixture) throws -> Bool {
            guard fixture.forwarded == .whole,
                let webhook = try? JSON.object(String(decoding: fixture.body, as: UTF8.self))
            else { return false }
            guard webhook["object"] as? String == "whatsapp_business_account" else { return false }
            let events = try JSON.otherEvents(of: webhook)
            return !events.isEmpty && events.allSatisfy { $0.hasPrefix("messages.messages") }
        }

        private func start(
            _ application: Application, _ server: Server
        ) throws -> (Installation, PHPSite) {
            let installation = try Installation()
            let site = try PHPSite(application, on: server)
            installation.forward(to: site.url)
            try site.start()
            try installation.startWorkers()
            try installation.startIngest()
            return (installation, site)
        }

        /// A receiver without the pipeline, and somebody who posts to it as the workers do.
        private func alone(
            _ application: Application, _ settings: [String: String] = [:]
        ) throws -> (PHPSite, SitePoster) {
            let site = try PHPSite(application, on: .builtIn, settings: settings)
            try site.start()
            return (site, SitePoster(site: site))
        }

        private func keys(_ rows: [[String: Any]]) throws -> [String] {
            try rows.map { row in
                try JSON.canonical(
                    [row["delivery_id"], row["field"], row["content"]].map { $0 ?? "" })
            }.sorted()
        }

        /// One message an entry, as FORWARD_BATCH_MAX puts them together.
        static func batch(_ ids: [String]) -> [UInt8] {
            let entries = ids.map { id in
                #"{"id":"800100200300401","changes":[{"value":{"messaging_product":"whatsapp","#
                    + #""messages":[{"from":"49158","id":"wamid.\#(id)","type":"text","#
                    + #""text":{"body":"x"}}]},"field":"messages"}]}"#
            }
            let list = entries.joined(separator: ",")
            return Array(#"{"object":"whatsapp_business_account","entry":[\#(list)]}"#.utf8)
        }
    }
}
