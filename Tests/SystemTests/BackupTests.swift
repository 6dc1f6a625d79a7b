import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// A backup that nobody has restored is no backup.
    @Suite struct BackupTests {
        @Test func `a backup made under load restores to a pipeline that delivers all of it`()
            throws
        {
            let installation = try Installation()
            // No workers: whatever was acknowledged before the backup began must be in it.
            try installation.startIngest()
            let driver = LoadDriver(port: installation.ingestPort)
            driver.start(senderCount: 4)
            driver.allow(upTo: .max)
            waitUntil { driver.acknowledged.webhookCount > 200 }
            let before = driver.acknowledged
            let backup = installation.directory.file("backup.db")
            let report = try installation.pipelinectlObject("backup", backup)
            let after = driver.acknowledged
            driver.stop()
            installation.stopPrograms()
            #expect(after.webhookCount > before.webhookCount, "there was no load")
            #expect(report["bytes"] as? Int ?? 0 > 100_000)
            let verify = try installation.pipelinectl("verify", backup)
            #expect(verify.status == 0, "\(verify.output)")

            let other = try Installation()
            let restore = try other.pipelinectl("restore", backup)
            #expect(restore.status == 0, "\(restore.output)")
            let again = try other.pipelinectl("restore", backup)
            #expect(again.status == 1 && again.output.contains("is there"))
            try other.startAll()
            try expect(before, in: other)
            let ids = try [installation, other].map {
                try ($0.pipelinectlObject("status")["queue"] as? [String: Any])?["id"] as? String
            }
            #expect(ids[0] != nil && ids[0] != ids[1], "two queues of one id: \(ids)")
            other.stopPrograms()
            let verified = try other.pipelinectl("verify")
            #expect(verified.status == 0, "\(verified.output)")
        }

        private func expect(
            _ acknowledged: LoadDriver.Acknowledged,
            in installation: Installation
        ) throws {
            let messages = Set(acknowledged.messages.values.joined())
            let statuses = Set(acknowledged.statuses)
            #expect(messages.count > 100 && statuses.count > 100)
            var missing: Set<String> = []
            try waitUntil(within: .seconds(90)) {
                let bodies = try installation.receiver.taken().map(\.text).joined(separator: "\n")
                let lines = try installation.lake.lines().joined(separator: "\n")
                missing = messages.filter { !bodies.contains("\"\($0)\"") }
                    .union(statuses.filter { !lines.contains("\"\($0)\"") })
                return missing.isEmpty
            }
            #expect(missing.isEmpty, "\(missing.count) are missing, \(missing.first ?? "")")
        }

        @Test func `a backup takes along what is sealed and not shipped`() throws {
            let installation = try Installation(["LAKE_URL": "file:/proc/no-lake"])
            try installation.receiver.start()
            try installation.startWorkers()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(sender.postUntilAcknowledged(Webhook.status("sent", id: "wamid.SEALED")))
            try waitUntil(within: .seconds(30)) {
                let lake = try installation.pipelinectlObject("status")["lake"] as? [String: Any]
                return lake?["unshipped_batches"] as? Int == 1
            }
            let backup = installation.directory.file("backup.db")
            #expect(try installation.pipelinectlObject("backup", backup)["batches"] as? Int == 1)
            installation.stopPrograms()

            let other = try Installation()
            #expect(try other.pipelinectl("restore", backup).status == 0)
            try other.startAll()
            waitUntil { (try? other.lake.lines().count) == 1 }
            #expect(try other.lake.lines().first?.contains("wamid.SEALED") == true)
            other.stopPrograms()
        }
    }
}
