import Foundation
import Queue
import TestSupport
import Testing

@testable import pipelinectl

@Suite struct BackupCommandTests {
    let rig: CommandRig
    private var backup: String { rig.directory.file("backup.db") }

    init() throws { rig = try CommandRig() }

    @Test func `a backup is its owner's alone, and nothing else is left behind`() throws {
        try rig.bury()
        #expect(rig.run("backup", backup).code == 0)
        let facts = try FileManager.default.attributesOfItem(atPath: backup)
        #expect(facts[.posixPermissions] as? Int == 0o600)
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory.path)
        #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(names)")
        #expect(rig.run("verify", backup).code == 0)
    }

    @Test func `a backup replaces nothing`() throws {
        #expect(rig.run("backup", backup).code == 0)
        let first = try Data(contentsOf: URL(fileURLWithPath: backup))
        try rig.bury()
        let second = rig.run("backup", backup)
        #expect(second.code == 1)
        #expect(second.error.contains("replaces nothing"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: backup)) == first)
    }

    @Test func `a restored queue holds what the backup held, under another id`() throws {
        try rig.bury()
        #expect(rig.run("backup", backup).code == 0)
        let taken = rig.run("restore", backup)
        #expect(taken.code == 1 && taken.error.contains("is there"))
        rig.environment["QUEUE_PATH"] = rig.directory.file("other/queue.db")
        #expect(rig.run("restore", backup).code == 0)
        let list = rig.run("dead", "list", "--json")
        #expect(try list.items().count == 1)
    }

    @Test func `a damaged backup is said to be so, and is not restored`() throws {
        for _ in 0..<40 { try rig.bury(.init(body: Array(repeating: 0x20, count: 3_000))) }
        #expect(rig.run("backup", backup).code == 0)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: backup))
        bytes.replaceSubrange(16_384..<bytes.count / 2, with: Data(count: bytes.count / 2 - 16_384))
        try bytes.write(to: URL(fileURLWithPath: backup))
        #expect(rig.run("verify", backup).code == 1)
        rig.environment["QUEUE_PATH"] = rig.directory.file("other/queue.db")
        let restore = rig.run("restore", backup)
        #expect(restore.code == 1, "\(restore.output)")
        #expect(!FileManager.default.fileExists(atPath: rig.directory.file("other/queue.db")))
    }

    @Test func `verify compares bodies with their signatures where it knows the secret`() throws {
        try rig.append(Array("a body that nobody signed".utf8))
        let unknown = rig.run("verify", "--json")
        #expect(unknown.code == 0)
        #expect(unknown.output.contains("0 bodies as they were signed, 1 under secrets"))
        rig.environment["WHATSAPP_APP_SECRET"] = nil
        #expect(rig.run("verify").output.contains("not compared"))
    }
}
