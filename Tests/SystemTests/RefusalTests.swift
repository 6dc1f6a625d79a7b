import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// What cannot work is said in a line, and nothing is touched.
    @Suite struct RefusalTests {
        private static let programs = ["ingest", "workers"]

        @Test(arguments: programs)
        func `two mistakes in the settings are both said, and the status is 78`(name: String) throws
        {
            let installation = try Installation()
            let listen = name == "ingest" ? "INGEST_LISTEN" : "FORWARD_URL"
            let program = try installation.start(
                name, with: [listen: "80a", "WHATSAPP_APP_SECRET": nil])
            #expect(program.waitForEnd() == .exited(status: 78))
            let lines = program.output.split(separator: "\n")
            #expect(lines.count == 2, "\(program.output)")
            #expect(lines.contains { $0.contains(#"\#(listen)="80a": expected"#) })
            #expect(lines.contains { $0.contains("WHATSAPP_APP_SECRET is required") })
            #expect(!FileManager.default.fileExists(atPath: installation.queuePath))
        }

        @Test(arguments: programs)
        func `a file that is no queue is refused and left as it is`(name: String) throws {
            let installation = try Installation()
            let garbage = Data((0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 37) })
            try place(garbage, at: installation.queuePath)
            let line = try expectOneLine(from: name, of: installation)
            #expect(line.contains(installation.queuePath))
            #expect(try contents(installation.queuePath) == garbage)
        }

        @Test(arguments: programs)
        func `a queue with damaged pages is refused and left as it is`(name: String) throws {
            let installation = try Installation()
            try installation.startIngest()
            installation.stopPrograms()
            var queue = try contents(installation.queuePath)
            queue.replaceSubrange(100..<(queue.count / 2), with: Data(count: queue.count / 2 - 100))
            try queue.write(to: URL(fileURLWithPath: installation.queuePath))
            _ = try expectOneLine(from: name, of: installation)
            #expect(try contents(installation.queuePath) == queue)
        }

        @Test(arguments: programs)
        func `a queue of a newer release is refused with a hint`(name: String) throws {
            let installation = try Installation()
            try installation.startIngest()
            installation.stopPrograms()
            try makeNewer(installation.queuePath)
            let queue = try contents(installation.queuePath)
            let line = try expectOneLine(from: name, of: installation)
            #expect(line.contains("schema version 99"))
            #expect(line.contains("newer release"))
            #expect(try contents(installation.queuePath) == queue)
        }

        @Test(arguments: programs)
        func `a directory that cannot be written is said in one line`(name: String) throws {
            let directory = try TemporaryDirectory()
            try place(Data("a file".utf8), at: directory.file("file"))
            let installation = try Installation(["QUEUE_PATH": directory.file("file/queue.db")])
            let line = try expectOneLine(from: name, of: installation)
            #expect(line.contains(directory.file("file")))
            #expect(line.contains("must"), "it says what to do: \(line)")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            #expect(names == ["file"])
        }

        @Test func `a second holder of a pool is refused in one line`() throws {
            let installation = try Installation()
            try installation.startWorkers()
            for pool in ["lake", "forward"] {
                let port = freePort()
                let second = try installation.start(
                    "workers", ["--pool", pool], with: ["WORKERS_ADMIN_LISTEN": "127.0.0.1:\(port)"]
                )
                guard case .exited(let status) = second.waitForEnd(within: .seconds(10)) else {
                    Issue.record("a second \(pool) pool runs")
                    continue
                }
                #expect(status != 0)
            }
            let refusals = try #require(installation.workers).output
                .split(separator: "\n").filter { $0.contains("cannot start") }
            #expect(refusals.count == 2)
            installation.stopPrograms()
        }

        /// Starts the program, which must end with one line and a status that is no success.
        private func expectOneLine(
            from name: String,
            of installation: Installation
        ) throws -> String {
            let log = installation.directory.file("\(name).log")
            try? FileManager.default.removeItem(atPath: log)
            let program = try installation.start(name)
            let end = program.waitForEnd(within: .seconds(20))
            guard case .exited(let status) = end else {
                Issue.record("\(name) runs on it, or was killed: \(String(describing: end))")
                return ""
            }
            #expect(status == 1 || status == 78)
            let lines = program.output.split(separator: "\n")
            #expect(lines.count == 1, "\(program.output)")
            return lines.first.map(String.init) ?? ""
        }

        private func place(_ data: Data, at path: String) throws {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: url)
        }

        private func contents(_ path: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: path))
        }

        /// Raises both versions, as a release of the future would, by a reader that is not ours.
        private func makeNewer(_ path: String) throws {
            let directory = try TemporaryDirectory()
            let code = """
                $db = new PDO('sqlite:' . $argv[1]);
                $db->exec('update queue set schema_version = 99, schema_version_compatible = 99');
                $db->exec('pragma wal_checkpoint(truncate)');
                """
            let php = try ChildProcess(
                "/usr/bin/env", ["php", "-r", code, path],
                environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
                outputPath: directory.file("php.log"))
            #expect(php.waitForEnd() == .exited(status: 0), "\(php.output)")
        }
    }
}
