import Base
import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// The real programs are killed at each crash point, and started again.
    ///
    /// docs/RELIABILITY.md lists the points with what must hold.
    @Suite struct CrashPointTests {
        /// Which program comes by a point, and when.
        private enum Scene {
            case ingestStart, ingest
            /// One pool alone, so that the other has nothing under way when the process dies.
            case pool(String)
            /// These arguments of pipelinectl, behind what must be there before.
            case tool(before: [[String]], [String])
        }

        private static func scene(of point: CrashPoint) -> Scene {
            switch point {
            case .afterCreateFile, .insideMigration, .afterMigration, .beforeCheckpoint,
                .afterCheckpoint:
                .ingestStart
            case .insideAppend, .afterCommit:
                .ingest
            case .afterSpoolFile, .afterSeen, .afterSeal, .insidePut, .afterRequest, .afterPut,
                .afterMark, .beforeRemove, .afterRemove:
                .pool("lake")
            case .insideAccept, .afterAccept, .afterAnswer, .insideSettle, .afterSettle,
                .insidePurgeDelivered:
                .pool("forward")
            case .insidePurgeLog:
                .pool("both")
            case .insideDeadSlice, .afterDeadSlice:
                .tool(before: [], ["dead", "replay", "--all"])
            case .insideImport, .afterImport:
                .tool(
                    before: [
                        ["dead", "export", "--all", "--out", "letters"],
                        ["dead", "discard", "--all", "--because", "they come back"],
                    ], ["dead", "import", "letters"])
            case .insideEdit:
                // The third message is the one that PHP refuses.
                .tool(before: [], ["dead", "edit", "3", "--with", "edited"])
            case .insideReplay:
                .tool(before: [], ["replay", "--since", "1h"])
            case .insideErase:
                // Nobody whose messages the test looks for.
                .tool(before: [], ["erase", "--wa-id", "4915550000003"])
            case .insideBackup:
                .tool(before: [], ["backup", "backup.db"])
            }
        }

        /// All but the one that only Firehose comes by, see LakeCrashTests.
        private static let points = CrashPoint.allCases.filter { $0 != .afterRequest }

        @Test(arguments: points)
        func `killed at any crash point, a program loses nothing and doubles nothing`(
            point: CrashPoint
        ) throws {
            let installation = try Installation([
                "LAKE_BATCH_AGE_MAX": "100ms", "FORWARD_REFUSALS_MAX": "1",
                "RETAIN_DELIVERED": point == .insidePurgeDelivered ? "0s" : "7d",
            ])
            try installation.receiver.answer([(text: "REFUSE", status: 400)])
            try installation.receiver.start()
            switch Self.scene(of: point) {
            case .ingestStart: try crash("ingest", at: point, of: installation)
            case .ingest: try crashIngest(at: point, of: installation)
            case .pool(let pool): try crashWorkers(pool, at: point, of: installation)
            case .tool(let before, let arguments):
                try crashTool(arguments, before: before, at: point, of: installation)
            }
            try expectEverything(in: installation, after: point)
        }

        @Test func `the page on reliability lists the crash points of the code`() throws {
            let page = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("docs/RELIABILITY.md")
            let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
            let points = Set(CrashPoint.allCases.map(\.rawValue))
            let listed = lines.compactMap { line -> String? in
                let cells = line.split(separator: "|").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                guard let first = cells.first, first.hasPrefix("`"), first.hasSuffix("`") else {
                    return nil
                }
                let name = String(first.dropFirst().dropLast())
                return name.hasPrefix("inside-") || name.hasPrefix("after-")
                    || name.hasPrefix("before-") ? name : nil
            }
            #expect(Set(listed) == points)
            #expect(listed.count == points.count, "a point is listed twice")
        }

        // MARK: Scenes

        /// Five webhooks: three statuses, one of them twice, three messages, one of them refused.
        private static let webhooks: [[UInt8]] = [
            Webhook.status("sent", id: "wamid.S1"), Webhook.status("sent", id: "wamid.S2"),
            Webhook.status("sent", id: "wamid.S1"),
            Webhook.text("one", from: "4915550000001", id: "wamid.M1"),
            Webhook.text("two", from: "4915550000002", id: "wamid.M2"),
            Webhook.text("REFUSE", from: "4915550000003", id: "wamid.M3"),
        ]

        private func crash(
            _ program: String,
            _ arguments: [String] = [],
            at point: CrashPoint,
            of installation: Installation
        ) throws {
            let child = try installation.start(
                program, arguments, with: ["PIPELINE_CRASH_POINT": point.rawValue])
            let end = child.waitForEnd()
            #expect(end == .killed(signal: SIGKILL), "\(point) was not met: \(child.output)")
        }

        private func send(_ webhooks: [[UInt8]], to installation: Installation) {
            let sender = WhatsAppSender(port: installation.ingestPort)
            for webhook in webhooks { #expect(sender.postUntilAcknowledged(webhook)) }
        }

        private func crashIngest(at point: CrashPoint, of installation: Installation) throws {
            let child = try installation.start(
                "ingest", with: ["PIPELINE_CRASH_POINT": point.rawValue])
            waitUntil { isListening(on: installation.ingestPort) || child.poll() != nil }
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(throws: (any Error).self) { try sender.post(Self.webhooks[0]) }
            #expect(child.waitForEnd() == .killed(signal: SIGKILL), "\(child.output)")
        }

        private func crashWorkers(
            _ pool: String,
            at point: CrashPoint,
            of installation: Installation
        ) throws {
            try installation.startIngest()
            send(Array(Self.webhooks.prefix(4)), to: installation)
            try crash(
                "workers", pool == "both" ? [] : ["--pool", pool], at: point, of: installation)
        }

        private func crashTool(
            _ arguments: [String],
            before: [[String]],
            at point: CrashPoint,
            of installation: Installation
        ) throws {
            try installation.startIngest()
            try installation.startWorkers()
            send(Self.webhooks, to: installation)
            waitUntil { (try? deadCount(installation)) == 1 }
            waitUntil { (try? installation.receiver.taken().count) == 2 }
            // Whoever erases takes the pools' locks.
            if arguments.first == "erase" { installation.killWorkers() }
            for command in before { try run(command, of: installation) }
            let edited = Webhook.text("REFUSE, too", from: "4915550000003", id: "wamid.M3")
            try Data(edited).write(to: URL(fileURLWithPath: inside("edited", installation)))
            let mine = arguments.map { inside($0, installation) }
            try crash("pipelinectl", mine, at: point, of: installation)
            #expect(!FileManager.default.fileExists(atPath: inside("backup.db", installation)))
            // Whoever saw it die runs it again.
            try run(arguments, of: installation)
        }

        private func run(_ arguments: [String], of installation: Installation) throws {
            let child = try installation.start(
                "pipelinectl", arguments.map { inside($0, installation) })
            let end = child.waitForEnd()
            #expect(end == .exited(status: 0), "\(arguments): \(child.output)")
        }

        /// Files of a command stand in the test's own directory.
        private func inside(_ argument: String, _ installation: Installation) -> String {
            let isFile = ["letters", "edited", "backup.db"].contains(argument)
            return isFile ? installation.directory.file(argument) : argument
        }

        private func deadCount(_ installation: Installation) throws -> Int? {
            let status = try installation.pipelinectlObject("status")
            return (status["dead_letters"] as? [String: Any])?["count"] as? Int
        }

        // MARK: Outcome

        private func expectEverything(
            in installation: Installation,
            after point: CrashPoint
        ) throws {
            if installation.ingest == nil { try installation.startIngest() }
            if installation.workers == nil { try installation.startWorkers() }
            // WhatsApp sends again what it saw no answer to; here all of it, which doubles nothing.
            send(Self.webhooks, to: installation)
            waitUntil(within: .seconds(40)) {
                (try? installation.lake.lines().count) == 2
                    && (try? deadCount(installation)) == (point == .insideErase ? 0 : 1)
                    && (try? Set(keys(of: installation)).count) == 2
            }
            let ids = try installation.lake.lines().compactMap {
                try JSON.object($0)["id"] as? String
            }
            #expect(ids.sorted() == ["wamid.S1", "wamid.S2"], "each status once")
            let counts = Dictionary(
                try keys(of: installation).map { ($0, 1) }, uniquingKeysWith: +)
            #expect(counts.count == 2, "two messages, however often")
            #expect(counts.values.allSatisfy { $0 <= attemptsMax(at: point) }, "\(counts)")
            installation.stopPrograms()
            let verify = try installation.pipelinectl("verify")
            #expect(verify.status == 0, "\(verify.output)")
            let status = try installation.pipelinectlObject("status")
            #expect((status["books"] as? [String: Any])?["balances"] as? Bool == true)
        }

        /// Only an answer that is not in the books yet is asked for again; a replay is one by wish.
        private func attemptsMax(at point: CrashPoint) -> Int {
            switch point {
            case .afterAnswer, .insideSettle, .insideReplay, .insidePurgeLog: 2
            default: 1
            }
        }

        /// The delivery ids of what PHP took, once for each time.
        private func keys(of installation: Installation) throws -> [String] {
            try installation.receiver.taken().compactMap { $0.headers["x-delivery-id"] }
        }
    }
}
