import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Queues as earlier releases left them after a crash, opened by today's programs.
    ///
    /// Tests/Tools/make_queue_fixture.py wrote the files, each at the last commit of its schema.
    @Suite struct UpgradeTests {
        private struct Expected: Decodable {
            let lake: [String]
            let php: [String]
            let deadLetters: Int

            enum CodingKeys: String, CodingKey {
                case lake, php
                case deadLetters = "dead_letters"
            }
        }

        private static let files: [String] = {
            let folder = Fixture.folder.appendingPathComponent("queues").path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { $0.hasSuffix(".tar.gz") }.sorted().map { "\(folder)/\($0)" }
        }()

        @Test func `there is a queue of every schema version that was released`() {
            let versions = Self.files.compactMap { path -> Int? in
                let name = URL(fileURLWithPath: path).lastPathComponent
                return Int(name.dropFirst("schema-".count).prefix { $0 != "." })
            }
            #expect(versions.sorted() == Array(1...max(1, versions.count)))
        }

        @Test(arguments: files)
        func `an older queue opens, migrates and drains, and its books balance`(file: String) throws
        {
            let installation = try Installation(["WHATSAPP_APP_SECRET": "fixture secret"])
            let expected = try unpack(file, into: installation)
            try installation.startAll()
            let lines = { try installation.lake.lines() }
            waitUntil(within: .seconds(60)) {
                (try? lines().count >= expected.lake.count) == true
                    && (try? bodies(installation).count >= expected.php.count) == true
            }
            let ids = try lines().compactMap { try JSON.object($0)["id"] as? String }
            #expect(ids.sorted() == expected.lake.sorted(), "each once")
            let arrived = try bodies(installation)
            for id in expected.php {
                #expect(arrived.contains { $0.contains(#""\#(id)""#) }, "\(id) did not reach PHP")
            }
            let status = try installation.pipelinectlObject("status")
            let dead = status["dead_letters"] as? [String: Any]
            #expect(dead?["count"] as? Int == expected.deadLetters)
            installation.stopPrograms()
            let verify = try installation.pipelinectl("verify")
            #expect(verify.status == 0, "\(verify.output)")
        }

        private func bodies(_ installation: Installation) throws -> [String] {
            try installation.receiver.taken().map(\.text)
        }

        private func unpack(_ file: String, into installation: Installation) throws -> Expected {
            let queue = URL(fileURLWithPath: installation.queuePath).deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: queue, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let tar = try ChildProcess(
                "/usr/bin/env", ["tar", "-xzf", file, "--no-same-owner", "-C", queue.path],
                environment: ["PATH": "/usr/bin:/bin"],
                outputPath: installation.directory.file("tar.log"))
            try #require(tar.waitForEnd() == .exited(status: 0), "\(tar.output)")
            let data = try Data(contentsOf: queue.appendingPathComponent("expected.json"))
            return try JSONDecoder().decode(Expected.self, from: data)
        }
    }
}
