import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What comes in, goes where it belongs, whole.
    @Suite struct FixtureTests {
        /// Keys that the lake puts in front of a status.
        private static let ours: Set = [
            "event_key", "received_at", "waba_id", "phone_number_id", "display_phone_number",
            "contact",
        ]

        @Test func `every body goes where it belongs, with every byte of it`() throws {
            let fixtures =
                try Fixture.files() + [Fixture.thousandStatuses(), Fixture.threeMegabytes()]
            let installation = try Installation()
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            for fixture in fixtures {
                #expect(try sender.post(fixture.body) == 200, "\(fixture.name)")
            }

            let statusCount = fixtures.map(\.statusCount).reduce(0, +)
            let bodyCount = fixtures.map { $0.forwarded.bodyCount }.reduce(0, +)
            try waitUntil(within: .seconds(60)) {
                let arrivals = try installation.receiver.all().count
                return try arrivals >= bodyCount && installation.lake.lines().count >= statusCount
            }
            // Stopped first: whatever the programs still had to say, they have said it.
            installation.stopPrograms()
            try expectStatuses(of: fixtures, in: installation.lake)
            try expectBodies(of: fixtures, at: installation.receiver)
            let letters = try installation.pipelinectlObject("dead", "list")
            #expect((letters["items"] as? [Any])?.count == 0)
        }

        @Test func `every fixture has an expectation`() throws {
            let folder = Fixture.folder.appendingPathComponent("webhooks").path
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            let named = try Fixture.files().map { $0.name + ".json" }
            #expect(files.sorted() == named.sorted())
        }

        /// What JSON readers refuse, half a character, stands in the lake as U+FFFD.
        private func readable(_ body: [UInt8]) -> String {
            String(decoding: body, as: UTF8.self)
                .replacingOccurrences(of: #"cut \ud83d""#, with: #"cut \ufffd""#)
                .replacingOccurrences(of: #"Cut \ud83d""#, with: #"Cut \ufffd""#)
        }

        private func expectStatuses(of fixtures: [Fixture], in lake: LakeFolder) throws {
            var expected: [String] = []
            for fixture in fixtures where fixture.statusCount > 0 {
                let statuses = JSON.statuses(of: try JSON.object(readable(fixture.body)))
                #expect(statuses.count == fixture.statusCount, "\(fixture.name)")
                expected += try statuses.map(JSON.canonical)
            }
            let lines = try lake.lines().map(JSON.object)
            let found = try lines.map { line in
                try JSON.canonical(line.filter { !Self.ours.contains($0.key) })
            }
            #expect(found.sorted() == expected.sorted())

            let keys = lines.compactMap { $0["event_key"] as? String }
            #expect(Set(keys).count == lines.count)
            #expect(keys.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
            #expect(lines.allSatisfy { $0["phone_number_id"] as? String == "700100200300401" })
            #expect(lines.allSatisfy { $0["display_phone_number"] as? String == "4930555001" })
            #expect(lines.allSatisfy { ($0["received_at"] as? String)?.hasSuffix("Z") == true })
            let accounts = Set(lines.compactMap { $0["waba_id"] as? String })
            #expect(accounts == ["800100200300401", "0"])
            let contacts = lines.compactMap { $0["contact"] as? [String: Any] }
            #expect(contacts.contains { $0["wa_id"] as? String == "4915550000001" })
        }

        private func expectBodies(of fixtures: [Fixture], at receiver: PHPReceiver) throws {
            let arrivals = try receiver.all()
            #expect(arrivals.allSatisfy { $0.isSigned })
            #expect(arrivals.allSatisfy { $0.headers["user-agent"] == "facebookexternalua" })
            #expect(arrivals.allSatisfy { $0.headers["content-type"] == "application/json" })
            #expect(arrivals.allSatisfy { $0.headers["x-delivery-attempt"] == "1" })
            let ids = arrivals.compactMap { $0.headers["x-delivery-id"] }
            #expect(Set(ids).count == arrivals.count)

            var rest = arrivals.map { [UInt8]($0.body) }
            for fixture in fixtures where fixture.forwarded == .whole {
                let index = rest.firstIndex(of: fixture.body)
                #expect(index != nil, "\(fixture.name) did not arrive byte for byte")
                if let index { rest.remove(at: index) }
            }
            var expected: [String] = []
            var cutCount = 0
            for fixture in fixtures {
                guard case .cut(let count) = fixture.forwarded else { continue }
                cutCount += count
                expected += try JSON.otherEvents(of: JSON.object(readable(fixture.body)))
            }
            let cut = try rest.map { try JSON.object(String(decoding: $0, as: UTF8.self)) }
            #expect(cut.count == cutCount)
            #expect(try cut.flatMap(JSON.otherEvents).sorted() == expected.sorted())
            #expect(cut.flatMap(JSON.statuses).isEmpty)
            #expect(rest.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("statuses") })
        }
    }
}

extension Fixture.Forwarded {
    var bodyCount: Int {
        switch self {
        case .nothing: 0
        case .whole: 1
        case .cut(let count): count
        }
    }
}
