import Base
import Foundation
import Glibc
import TestSupport
import Testing

@testable import pipelinectl

/// Only root can show what pipelinectl does when root starts it.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
struct RootTests {
    /// Debian's `nobody`; any user but root would do.
    private static let owner: uid_t = 65_534

    @Test func `root becomes the queue's owner before it opens anything of the queue`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let queue = rig.directory.file("queue")
        try FileManager.default.createDirectory(atPath: queue, withIntermediateDirectories: true)
        // Nothing of the copy is open here, and no lock file stands beside it yet.
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: rig.location.path + suffix, toPath: "\(queue)/queue.db\(suffix)")
            chown("\(queue)/queue.db\(suffix)", Self.owner, Self.owner)
        }
        chown(queue, Self.owner, Self.owner)
        // The way to it is open to everybody, or its owner could not get there.
        chmod(rig.directory.path, 0o755)

        let child = try ChildProcess(
            program(), ["dead", "replay", "--all"],
            environment: ["QUEUE_PATH": "\(queue)/queue.db"],
            outputPath: rig.directory.file("output"))
        #expect(child.waitForEnd() == .exited(status: 0), "\(child.output)")
        let names = try FileManager.default.contentsOfDirectory(atPath: queue)
        #expect(names.contains("queue.db.gate"))
        for name in names {
            #expect(SystemUser.owner(of: "\(queue)/\(name)")?.user == Self.owner, "\(name)")
        }
    }

    /// pipelinectl as it was built beside these tests.
    private func program() throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return DurableFile.parent(of: tests) + "/pipelinectl"
    }
}
