import Base
import TestSupport
import Testing

@testable import Queue

@Suite struct WebhookLogTests {
    @Test func `what was appended is read back in order, byte for byte`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["a", "", "{\"ü\":\"\u{0000}\"}"])
        try session.append(["last"])
        let webhooks = try session.log.read(after: .none, limit: 10, byteCountMax: 1_000)
        #expect(webhooks.map(\.id.rawValue) == [1, 2, 3, 4])
        #expect(
            webhooks.map { String(decoding: $0.body, as: UTF8.self) } == [
                "a", "", "{\"ü\":\"\u{0000}\"}", "last",
            ])
        #expect(webhooks[0].signature256 == "sha256=00")
        #expect(webhooks[0].signature1 == nil)
        #expect(webhooks[0].secretFingerprint == "secret")
        #expect(webhooks[0].remoteAddress == "127.0.0.1")
        #expect(try session.log.lastID() == WebhookID(rawValue: 4))
    }

    @Test func `a read stops at its limits but always returns one webhook`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["12345", "12345", "12345"])
        func count(limit: Int, bytes: Int) throws -> Int {
            try session.log.read(after: .none, limit: limit, byteCountMax: bytes).count
        }
        #expect(try count(limit: 2, bytes: 100) == 2)
        #expect(try count(limit: 9, bytes: 10) == 2)
        #expect(try count(limit: 9, bytes: 9) == 1)
        #expect(try count(limit: 9, bytes: 0) == 1)
        #expect(try session.log.webhook(WebhookID(rawValue: 2)) != nil)
        #expect(try session.log.webhook(WebhookID(rawValue: 4)) == nil)
    }

    @Test func `an id is never used again, also when the log was emptied`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["1", "2"])
        try session.lake.advance(to: WebhookID(rawValue: 2), foundCount: 0, doubleCount: 0)
        try session.forward.accept(ForwardSlice(to: 2, []), now: .now())
        #expect(try session.upkeep.purgeLog(limit: 100) == 2)
        #expect(try session.bodies().isEmpty)
        try session.append(["3"])
        #expect(try session.log.lastID() == WebhookID(rawValue: 3))
        #expect(try session.statistics().storedCount == 1)
    }

    @Test func `the log is purged behind the slower consumer only`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["1", "2", "3"])
        try session.lake.advance(to: WebhookID(rawValue: 3), foundCount: 0, doubleCount: 0)
        #expect(try session.upkeep.purgeLog(limit: 100) == 0)
        try session.forward.accept(ForwardSlice(to: 2, []), now: .now())
        #expect(try session.upkeep.purgeLog(limit: 1) == 1)
        #expect(try session.upkeep.purgeLog(limit: 100) == 1)
        #expect(try session.bodies() == ["3"])
    }

    @Test func `a group that cannot be stored is stored not even in part`() throws {
        let queue = try QueueFixture()
        let session = try queue.open()
        try session.append(["kept"])
        try session.connection.execute("pragma max_page_count = 1")
        #expect {
            try session.append([String](repeating: String(repeating: "x", count: 60_000), count: 9))
        } throws: { error in
            if case QueueError.full = error { true } else { false }
        }
        try session.connection.execute("pragma max_page_count = 1000000")
        #expect(try session.bodies() == ["kept"])
        try session.append(["after"])
        #expect(try session.bodies() == ["kept", "after"])
        #expect(try session.log.lastID() == WebhookID(rawValue: 2))
    }
}
