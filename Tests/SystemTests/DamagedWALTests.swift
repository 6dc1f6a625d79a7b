import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What SQLite takes for the end of a WAL, and what the programs say about it.
    @Suite struct DamagedWALTests {
        /// An ingest that was killed with so many webhooks in its WAL.
        private func killed(webhookCount: Int) throws -> Installation {
            let installation = try Installation()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            for number in 0..<webhookCount {
                let webhook = Webhook.status("sent", id: "wamid.\(number)")
                #expect(sender.postUntilAcknowledged(webhook))
            }
            installation.killIngest()
            return installation
        }

        private func log(of installation: Installation) throws -> String {
            try String(contentsOfFile: installation.directory.file("ingest.log"), encoding: .utf8)
        }

        @Test func `a sound WAL after kill -9 is worth no word`() throws {
            let installation = try killed(webhookCount: 5)
            try installation.startIngest()
            installation.stopPrograms()
            #expect(try !log(of: installation).contains("error"))
        }

        @Test func `a WAL that was removed is missed by ingest, and by verify before it`() throws {
            let installation = try killed(webhookCount: 5)
            try FileManager.default.removeItem(atPath: installation.queuePath + "-wal")
            let verify = try installation.pipelinectl("verify")
            #expect(verify.status == 1)
            #expect(verify.output.contains("5 acknowledged webhooks missing"), "\(verify.output)")
            try installation.startIngest()
            installation.stopPrograms()
            let said = try log(of: installation)
            #expect(said.contains("acknowledged webhooks are not in the queue"), "\(said)")
        }

        @Test func `commits behind a damaged frame are said, kept, and saved`() throws {
            let installation = try killed(webhookCount: 12)
            let wal = URL(fileURLWithPath: installation.queuePath + "-wal")
            var bytes = try Data(contentsOf: wal)
            // In the page of the sixth frame: the first commits are behind it, not before.
            let pageByteCount = bytes[8..<12].reduce(0) { $0 << 8 | Int($1) }
            bytes[32 + 5 * (24 + pageByteCount) + 24 + pageByteCount / 2] ^= 0x40
            try bytes.write(to: wal)
            let verify = try installation.pipelinectl("verify")
            #expect(verify.status == 1 && verify.output.contains("salvage"), "\(verify.output)")

            let saved = installation.directory.file("saved.db")
            let salvage = try installation.pipelinectl("salvage", installation.queuePath, saved)
            #expect(salvage.status == 0, "\(salvage.output)")
            let other = try Installation(["QUEUE_PATH": saved])
            let status = try other.pipelinectlObject("status")
            #expect((status["log"] as? [String: Any])?["webhooks"] as? Int == 12)

            try installation.startIngest()
            installation.stopPrograms()
            let said = try log(of: installation)
            #expect(said.contains("commits in the WAL cannot be read"), "\(said)")
            let names = try FileManager.default.contentsOfDirectory(
                atPath: wal.deletingLastPathComponent().path)
            #expect(names.contains { $0.hasPrefix("queue.db-wal.damaged-") }, "\(names)")
        }
    }
}
