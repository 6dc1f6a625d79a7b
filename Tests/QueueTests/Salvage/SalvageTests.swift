import Base
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Queue

/// Queues that are damaged on purpose, and what is saved of them.
@Suite struct SalvageTests {
    private static let pageByteCount = 8_192
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("old.db")
    }

    /// A queue of 200 webhooks of a kilobyte, some as long as several pages, as one file.
    private func makeQueue() throws -> [String] {
        let queue = try QueueFixture()
        let session = try queue.open()
        let bodies = (1...200).map { number in
            "webhook \(number) " + String(repeating: "x", count: number % 50 == 0 ? 70_000 : 1_000)
        }
        for body in bodies { try session.append([body]) }
        let deliveries = (0..<20).map { newDelivery("d\($0)", to: ["c\($0 % 3)"]) }
        try session.forward.accept(
            ForwardSlice(to: 10, deliveries), now: Timestamp(rawValue: 1_700_000_000_000))
        try session.copyDatabase(into: path)
        return bodies
    }

    private func damage(page: Int) throws {
        let file = try #require(fopen(path, "r+"))
        defer { fclose(file) }

        fseek(file, page * Self.pageByteCount, SEEK_SET)
        let garbage = (0..<Self.pageByteCount).map { UInt8(truncatingIfNeeded: $0 &* 41 &+ 13) }
        #expect(fwrite(garbage, 1, garbage.count, file) == garbage.count)
    }

    private func salvage() throws -> (QueueFixture, QueueSession, SalvageReport) {
        let target = try QueueFixture()
        let session = try target.open()
        let pages = directory.file("pages.db")
        try FileManager.default.copyItem(atPath: path, toPath: pages)
        let salvage = try Salvage(
            copyAt: path, target: session, original: QueueLocation(path: path))
        try salvage.saveRows()
        try salvage.savePages(ofCopyAt: pages)
        let report = try salvage.finish(
            by: Actor(systemUser: "test"), now: Timestamp(rawValue: 1_700_000_100_000))
        return (target, session, report)
    }

    @Test func `of a sound queue everything is saved`() throws {
        let bodies = try makeQueue()
        let (target, session, report) = try salvage()
        defer { withExtendedLifetime(target) {} }

        #expect(try session.bodies() == bodies)
        #expect(report.lostWebhooks.isEmpty && report.lostDeliveries == 0)
        #expect(report.tables.allSatisfy { !$0.isIncomplete }, "\(report.tables)")
        for examination in Examination.allCases {
            #expect(try session.faults(of: examination) == [])
        }
        let due = try session.forward.claim(
            limit: 99, now: Timestamp(rawValue: 1_700_000_100_000), excluding: [])
        #expect(due.map(\.envelope.key) == ["d0", "d1", "d2"])
    }

    @Test func `whichever page is damaged, each webhook is saved as it was or said to be lost`()
        throws
    {
        let bodies = try makeQueue()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let pageCount = whole.count / Self.pageByteCount
        var generator = SeededGenerator.announced("salvage")
        let pages = (0..<pageCount).shuffled(using: &generator)
            .prefix(EnvironmentNumber.read("SALVAGE_PAGES", otherwise: 12))
        var savedCount = 0
        for page in pages {
            for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
            unlink(directory.file("pages.db"))
            try whole.write(to: URL(fileURLWithPath: path))
            try damage(page: page)
            let (target, session, report) = try salvage()
            let saved = try session.log.read(after: .none, limit: 1_000, byteCountMax: .max)
            for webhook in saved {
                let body = String(decoding: webhook.body, as: UTF8.self)
                // Garbage in the middle of a long body cannot be told from the body.
                let isLong = webhook.body.count > 10_000
                #expect(body == bodies[Int(webhook.id.rawValue) - 1] || isLong, "page \(page)")
            }
            let ids = Set(saved.map(\.id.rawValue))
            for id in 11...Int64(200) where !ids.contains(id) {
                #expect(report.lostWebhooks.contains { $0.contains(id) }, "page \(page), \(id)")
            }
            for examination in [Examination.pages, .rows, .places, .books, .references] {
                #expect(try session.faults(of: examination) == [], "page \(page)")
            }
            savedCount += ids.filter { $0 > 10 }.count
            withExtendedLifetime(target) {}
        }
        // A page is lost each time, not the table with its root.
        #expect(savedCount > 190 * pages.count * 9 / 10, "\(savedCount) of \(190 * pages.count)")
    }

    @Test func `what stands behind damage in the WAL is found, kept, and saved`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        for number in 1...30 { try session.append(["webhook \(number)"]) }
        #expect(try WALInspection.run(queue.location).isBroken == false)
        let old = QueueLocation(path: path)
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: queue.location.path + suffix, toPath: path + suffix)
        }
        // One byte of a frame of about the tenth commit.
        let frame = 24 + Self.pageByteCount
        let sound = try WALInspection.run(old).soundFrameCount
        let file = try #require(fopen(old.walPath, "r+"))
        fseek(file, 32 + sound / 3 * frame + 24 + 9_000, SEEK_SET)
        fputc(0x5A, file)
        fclose(file)

        let inspection = try WALInspection.run(old)
        #expect(inspection.isBroken && inspection.unreadCommitCount > 5, "\(inspection)")
        let gate = try QueueSession.openGate(old, as: .ingest)
        let damaged = try #require(try QueueSession.keepDamagedWAL(old, gate: gate))
        #expect(damaged.unreadCommitCount == inspection.unreadCommitCount)
        #expect(WALInspection.copies(of: old) == [damaged.copyPath])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: old.walPath))
        #expect(try Data(contentsOf: URL(fileURLWithPath: damaged.copyPath)) == bytes)

        try FileManager.default.copyItem(
            atPath: old.walPath, toPath: directory.file("pages.db-wal"))
        let (target, saved, report) = try salvage()
        #expect(try saved.bodies() == (1...30).map { "webhook \($0)" })
        #expect(report.lostWebhooks.isEmpty)
        withExtendedLifetime(target) {}
    }
}
