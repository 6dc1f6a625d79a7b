import Base
import Foundation
import TestSupport
import Testing

@testable import Queue

@Suite struct QueueFileTests {
    @Test func `a new queue is its owner's alone`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["x"])
        for path in [
            queue.location.path, queue.location.walPath, queue.location.gatePath,
            queue.location.turnPath,
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(path)")
        }
        let spool = try FileManager.default.attributesOfItem(atPath: queue.location.spoolDirectory)
        #expect(spool[.posixPermissions] as? Int == 0o700)
    }

    @Test func `every connection is set up so that the gate decides over checkpoints`() throws {
        let queue = try QueueFixture()
        for role in [QueueSession.Role.ingest, .lake, .forward, .upkeep, .tool] {
            let connection = try queue.open(role).connection
            #expect(try connection.scalar("pragma wal_autocheckpoint") == 0)
            #expect(try connection.scalar("pragma mmap_size") == 0)
            #expect(try connection.scalar("pragma page_size") == 8_192)
            #expect(try connection.scalar("pragma trusted_schema") == 0)
            #expect(try connection.scalar("pragma cell_size_check") == 1)
            let isSynced = try connection.scalar("pragma synchronous") == 2
            #expect(isSynced == (role.synchronous == .full))
        }
    }

    @Test func `a commit that need not be synced leaves the level as it was`() throws {
        let queue = try QueueFixture()
        let connection = try queue.open(.lake).connection
        try connection.writeUnsynced { () throws(QueueError) in
            #expect(try connection.scalar("pragma synchronous") == 1)
        }
        #expect(try connection.scalar("pragma synchronous") == 2)
    }

    @Test func `the tool makes no queue and migrates none`() throws {
        let directory = try TemporaryDirectory()
        let location = QueueLocation(path: directory.file("none.db"))
        #expect {
            try QueueSession.openGate(location, as: .tool)
        } throws: { "\($0)".contains("start ingest first") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func `another database is refused untouched`() throws {
        let queue = try QueueFixture()
        try Data("SQLite format 3\u{0}, but not really".utf8).write(
            to: URL(fileURLWithPath: queue.location.path))
        let before = try Data(contentsOf: URL(fileURLWithPath: queue.location.path))
        #expect(throws: QueueError.self) { try queue.open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: queue.location.path)) == before)
    }

    @Test func `a damaged queue is refused with a hint and left as it is`() throws {
        let queue = try QueueFixture()
        do {
            let session = try queue.open()
            try session.append(["x"])
            try session.checkpoint(.truncate)
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: queue.location.path))
        for offset in 100..<bytes.count { bytes[offset] = 0xA5 }
        try bytes.write(to: URL(fileURLWithPath: queue.location.path))
        #expect { try queue.open() } throws: { "\($0)".contains("salvage") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: queue.location.path)) == bytes)
    }

    @Test func `a queue of a newer release is refused by those it says are too old`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        let newer = Migration.newestVersion + 1
        // Additive change: the newer file still works with this release.
        try session.change("update queue set schema_version = \(newer)")
        _ = try queue.open(.ingest)
        _ = try queue.open(.tool)
        try session.change("update queue set schema_version_compatible = \(newer)")
        for role in [QueueSession.Role.ingest, .lake, .forward, .upkeep, .tool] {
            #expect { try queue.open(role) } throws: { "\($0)".contains("install the newer") }
        }
    }

    @Test func `the list of migrations is the folder`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../migrations").standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".sql") }.sorted()
        #expect(files.count == Migration.all.count)
        for (index, (file, migration)) in zip(files, Migration.all).enumerated() {
            #expect(migration.version == index + 1)
            #expect(file.hasPrefix(String(repeating: "0", count: 3) + "\(index + 1)_"))
            let text = try String(
                contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            #expect(migration.sql.text == text)
        }
    }

    @Test func `a checkpoint empties the WAL, and does not wait for a reader`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        let reader = try queue.open(.tool)
        try session.append(["x"])
        #expect(session.walPages > 0)
        try reader.connection.read { () throws(QueueError) in
            _ = try reader.log.lastID()
            try session.append(["y"])
            #expect(try session.checkpoint(.truncate).isIncomplete)
        }
        let result = try session.checkpoint(.truncate)
        #expect(!result.isIncomplete)
        #expect(session.walPages == 0)
        #expect(session.walByteCount == 0)
        #expect(try session.bodies() == ["x", "y"])
    }
}
