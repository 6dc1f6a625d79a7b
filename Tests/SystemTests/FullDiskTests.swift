import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    /// A disk that is really full: a file system of 64 MiB, the rest of it in a stranger's file.
    @Suite struct FullDiskTests {
        @Test(
            .enabled(if: SmallFileSystem.canBeMade, "needs the right to mount a tmpfs"),
            arguments: ["16MiB", "0"])
        func `a full disk is answered 503, and what was acknowledged reaches the lake`(
            reserve: String
        ) throws {
            let disk = try SmallFileSystem(mebibytes: 64)
            let installation = try Installation([
                "QUEUE_PATH": disk.path + "/queue.db", "DISK_FREE_BYTES_MIN": reserve,
                // The ballast, a quarter of the reserve, has to hold a whole WAL.
                "WAL_BYTES_MAX": "1MiB",
            ])
            // The workers make the ballast while there is room.
            try installation.startIngest()
            try installation.startWorkers()
            installation.stopPrograms()
            try installation.startIngest()
            let sender = WhatsAppSender(port: installation.ingestPort)
            var acknowledgedCount = 0
            func postUntilRefused() throws {
                while try sender.post(Self.status(acknowledgedCount)) == 200 {
                    acknowledgedCount += 1
                    try #require(acknowledgedCount < 1_000, "the disk has no end")
                }
            }
            for _ in 0..<40 where try sender.post(Self.status(acknowledgedCount)) == 200 {
                acknowledgedCount += 1
            }
            #expect(acknowledgedCount > 20)
            let stranger = disk.path + "/stranger"
            try disk.fill(stranger)
            try postUntilRefused()
            let refused = try BlockingHTTPClient(port: installation.ingestPort)
                .sendWebhook(Self.status(0))
            #expect(refused.status == 503)
            #expect(refused.fields["retry-after"] == "1")
            #expect(try installation.ingestHealth() == 200)
            // Without a reserve there is no ballast: somebody has to make room.
            if reserve == "0" { try FileManager.default.removeItem(atPath: stranger) }
            try installation.startWorkers()
            let count = acknowledgedCount
            try waitUntil(within: .seconds(60)) {
                try Set(installation.lake.lines()).count >= count
            }
            try? FileManager.default.removeItem(atPath: stranger)
            #expect(sender.postUntilAcknowledged(Self.status(acknowledgedCount)))
            acknowledgedCount += 1
            try waitUntil(within: .seconds(60)) {
                try installation.lake.lines().count >= acknowledgedCount
            }
            installation.stopPrograms()
            let ids = try installation.lake.lines().map { try JSON.object($0)["id"] as? String }
            #expect(Set(ids).count == acknowledgedCount)
            #expect(ids.count == acknowledgedCount)
        }

        private static func status(_ number: Int) -> [UInt8] {
            TroubleTests.status(number, padding: 200_000)
        }
    }
}

/// A file system in memory with a size, mounted at a directory of its own.
private final class SmallFileSystem {
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    static let canBeMade = (try? SmallFileSystem(mebibytes: 1)) != nil

    init(mebibytes: Int) throws {
        directory = try TemporaryDirectory()
        try Self.run(
            "mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=0700", "tmpfs", directory.path)
    }

    deinit { try? Self.run("umount", "-l", directory.path) }

    private static func run(_ arguments: String...) throws {
        let process = try ChildProcess(
            "/usr/bin/env", arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            outputPath: "/dev/null")
        let end = process.waitForEnd()
        guard end == .exited(status: 0) else { throw CocoaError(.fileWriteNoPermission) }
    }

    /// Writes a file until there is no byte left.
    func fill(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }

        let bytes = [UInt8](repeating: 0x55, count: 65_536)
        for size in [bytes.count, 4_096] {
            while write(file, bytes, size) > 0 {}
        }
        #expect(errno == ENOSPC)
    }
}
