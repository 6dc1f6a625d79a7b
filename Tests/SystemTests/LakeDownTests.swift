import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// A lake that cannot be written holds up nothing but itself.
    @Suite struct LakeDownTests {
        @Test func `messages reach PHP while the lake is down and statuses pour in`() throws {
            let installation = try Installation(["LAKE_BACKOFF_MAX": "1s"])
            // A file where the lake's directory should be: no write can succeed, root's neither.
            try Data().write(to: URL(fileURLWithPath: installation.lake.path))
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            var statusCount = 0
            for number in 1...5 {
                for _ in 1...40 {
                    statusCount += 1
                    let body = Webhook.status("sent", id: "wamid.DOWN\(statusCount)==")
                    #expect(try sender.post(body) == 200)
                }
                let message = Webhook.text("now", from: "4915900001", id: "wamid.NOW\(number)==")
                #expect(try sender.post(message) == 200)
                // It arrives while nothing at all has reached the lake.
                try waitUntil { try installation.receiver.taken().count == number }
                #expect(try installation.receiver.taken().count == number)
            }
            try waitUntil { try unshippedStatuses(installation) > 0 }
            #expect(try unshippedStatuses(installation) > 0)
            #expect(installation.lake.objects().isEmpty)

            try FileManager.default.removeItem(atPath: installation.lake.path)
            try waitUntil(within: .seconds(90)) {
                try installation.lake.lines().count >= statusCount
            }
            installation.stopPrograms()
            let ids = try installation.lake.lines().map { try JSON.object($0)["id"] as? String }
            #expect(Set(ids).count == statusCount)
            #expect(ids.count == statusCount)
        }

        private func unshippedStatuses(_ installation: Installation) throws -> Int {
            let status = try installation.pipelinectlObject("status")
            let lake = try #require(status["lake"] as? [String: Any])
            return try #require(lake["unshipped_statuses"] as? Int)
        }
    }
}
