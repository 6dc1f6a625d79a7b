import AWS
import Base
import Foundation
import TestSupport
import Testing
import WhatsApp

extension SystemTests {
    /// `lookup` and `lake verify` on a bucket that the pipeline wrote, signatures checked.
    @Suite struct LakeBucketTests {
        private static let id = "wamid.BUCKET=="

        /// An installation that wrote three objects, which then were put into a bucket; stopped.
        private func shipped(to bucket: String, of peer: AWSPeer) throws -> Installation {
            let installation = try Installation(["LAKE_BATCH_AGE_MAX": "100ms"])
            try installation.startWorkers()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            for (count, status) in ["sent", "delivered", "read"].enumerated() {
                #expect(try sender.post(Webhook.status(status, id: Self.id)) == 200)
                waitUntil { installation.lake.objects().count == count + 1 }
            }
            installation.stopPrograms()
            let source = try ConfigurationSource.load(file: nil, environment: peer.environment())
            var reader = ConfigurationReader(source)
            let client = S3Client(
                S3Settings(bucket: bucket, prefix: "some/prefix"), aws: .read(&reader))
            defer { client.stop() }

            for name in installation.lake.objects() {
                let path = installation.lake.path + "/" + name
                let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                let hasher = SHA256Hasher()
                bytes.withUnsafeBytes { hasher.update($0) }
                _ = try client.put(
                    name, file: path, byteCount: bytes.count, sha256: hasher.finishHex())
            }
            return installation
        }

        private func run(
            _ installation: Installation, _ arguments: [String],
            with settings: [String: String?] = [:]
        ) throws -> (end: ChildProcess.End?, output: String) {
            var environment = installation.environment
            for (key, value) in settings { environment[key] = value }
            let program = try ChildProcess(
                Installation.binary("pipelinectl"), arguments, environment: environment,
                outputPath: installation.directory.file("\(UUID().uuidString).log"))
            return (program.waitForEnd(), program.output)
        }

        @Test func `a message is found in a bucket, and the bucket holds what was shipped`() throws
        {
            let peer = try AWSPeer.shared()
            let bucket = try peer.makeBucket()
            let installation = try shipped(to: bucket, of: peer)
            var keys = peer.environment(.reader).mapValues { Optional($0) }
            keys["LAKE_URL"] = "s3://\(bucket)/some/prefix"
            let asked = try run(installation, ["lookup", Self.id, "--json"], with: keys)
            let found = try JSON.object(asked.output)
            let summary = try #require(found["summary"] as? [String: Any])
            #expect(summary["status"] as? String == "read")
            let searched = try #require(found["searched"] as? [String: Any])
            let lake = try #require(searched["lake"] as? [String: Any])
            #expect(lake["trouble"] is NSNull)
            #expect(lake["objects"] as? Int == 3)
            let verified = try JSON.object(
                try run(installation, ["lake", "verify", "--json"], with: keys).output)
            #expect(verified["verdict"] as? String == "ok")
            #expect((verified["statuses"] as? [String: Int])?["lines"] == 3)
            #expect((verified["objects"] as? [String: Any])?["own"] as? Int == 3)

            // Where the books' objects are not.
            keys["LAKE_URL"] = "s3://\(bucket)/other"
            let elsewhere = try run(installation, ["lake", "verify", "--json"], with: keys)
            #expect(elsewhere.end == .exited(status: 1))
            let wrong = try JSON.object(elsewhere.output)
            #expect((wrong["problems"] as? [String: Int])?["missing"] == 3)
        }

        @Test func `a key that may not list is told which permission is missing`() throws {
            let peer = try AWSPeer.shared()
            let bucket = try peer.makeBucket()
            let installation = try shipped(to: bucket, of: peer)
            var keys = peer.environment(.putter).mapValues { Optional($0) }
            keys["LAKE_URL"] = "s3://\(bucket)/some/prefix"
            let verified = try run(installation, ["lake", "verify"], with: keys)
            #expect(verified.end == .exited(status: 1))
            #expect(verified.output.contains("s3:ListBucket"))
            let other = try run(installation, ["lookup", "wamid.OTHER=="], with: keys)
            #expect(other.end == .exited(status: 1))
            #expect(other.output.contains("s3:ListBucket"))
        }
    }
}
