import Base
import Foundation
import TestSupport
import Testing

@testable import Queue

@Suite struct WALRoomTests {
    private static let step = WALRoom.stepByteCount
    private static let ahead = WALRoom.aheadByteCount

    @Test func `the file is made longer once the frames come near its end, up to its limit`()
        throws
    {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try session.append(["a"])
        let first = session.walByteCount
        var room = WALRoom(fixture.location, byteCountMax: 2 * Self.step)
        try room.makeHoldingGate(usedByteCount: first)
        #expect(session.walByteCount == first + Self.step)
        // As long as there is enough in front of the frames nothing happens.
        try room.makeHoldingGate(usedByteCount: first + Self.step - Self.ahead)
        #expect(session.walByteCount == first + Self.step)
        try room.makeHoldingGate(usedByteCount: first + Self.step)
        #expect(session.walByteCount == 2 * Self.step)
        try room.makeHoldingGate(usedByteCount: 100 * Self.step)
        #expect(session.walByteCount == 2 * Self.step)
    }

    @Test func `a WAL that was cut is made longer again`() throws {
        let fixture = try QueueFixture()
        let session = try fixture.open()
        try session.append(["a"])
        var room = WALRoom(fixture.location, byteCountMax: 2 * Self.step)
        try room.makeHoldingGate(usedByteCount: session.walPages * session.pageByteCount)
        try session.checkpoint(.truncate)
        #expect(session.walByteCount == 0)
        // An empty WAL has no header yet: the first commit writes it.
        try room.makeHoldingGate(usedByteCount: 0)
        #expect(session.walByteCount == 0)
        try session.append(["b"])
        try room.makeHoldingGate(usedByteCount: session.walPages * session.pageByteCount)
        #expect(session.walByteCount > Self.step)
    }

    @Test(arguments: [CheckpointMode.restart, .truncate])
    func `what was committed is there however the WAL goes on`(mode: CheckpointMode) throws {
        let fixture = try QueueFixture()
        var expected: [String] = []
        do {
            let session = try fixture.open()
            var room = WALRoom(fixture.location, byteCountMax: 4 * Self.step)
            for round in 0..<40 {
                let filler = String(repeating: "x", count: 9_000)
                let bodies = (0..<3).map { "\(round) \($0) \(filler)" }
                try session.append(bodies)
                expected += bodies
                try room.makeHoldingGate(usedByteCount: session.walPages * session.pageByteCount)
                if round % 11 == 10 { try session.checkpoint(mode) }
            }
        }
        // As after a kill -9: other files, the same bytes, and SQLite recovers the WAL by reading.
        let copy = try TemporaryDirectory()
        let location = QueueLocation(path: copy.file("queue.db"))
        for (from, to) in [
            (fixture.location.path, location.path), (fixture.location.walPath, location.walPath),
        ] {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        }
        let gate = try QueueSession.openGate(location, as: .ingest)
        let reopened = try QueueSession.open(location, gate: gate, as: .ingest)
        #expect(try reopened.bodies() == expected)
        let check = try reopened.connection.statement("pragma integrity_check")
        #expect(try check.step())
        #expect(check.text(0) == "ok")
    }
}
