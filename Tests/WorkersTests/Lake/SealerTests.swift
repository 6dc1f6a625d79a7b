import Base
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

@Suite struct SealerTests {
    let fixture: LakeFixture
    let noon = LakeFixture.noon

    init() throws { fixture = try LakeFixture() }

    func names() throws -> [String] { try fixture.spooledLines().map(Body.name) }

    func sealAll(_ settings: LakeSettings? = nil) throws {
        let sealer = try fixture.makeSealer(settings)
        try fixture.drain(sealer)
        try sealer.finish()
    }

    @Test func `statuses become lines in the order of their arrival`() throws {
        try fixture.append([
            Body.one("a"), Body.statuses([Body.status("b"), Body.status("c")]), Body.message("m"),
            Body.one("d"),
        ])
        try sealAll()
        #expect(try names() == ["a/sent", "b/sent", "c/sent", "d/sent"])
        let batch = try #require(try fixture.unshipped().first)
        #expect(batch.firstID == WebhookID(rawValue: 1))
        #expect(batch.lastID == WebhookID(rawValue: 4))
        #expect(batch.lineCount == 4)
        #expect(try fixture.session.lake.cursor() == WebhookID(rawValue: 4))
        #expect(try fixture.session.statistics().balances)
    }

    @Test func `the books hold the hash and the size of the file`() throws {
        try fixture.append([Body.one("a")])
        try sealAll()
        let batch = try #require(try fixture.unshipped().first)
        let path = fixture.spool.path(ofObject: batch.objectName)
        let bytes = try Files.bytes(path)
        let digest = ObjectDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        #expect(batch.byteCount == bytes.count)
        #expect(batch.sha256 == digest.finishHex())
        #expect(batch.objectName.contains("-1-1-\(batch.sha256.prefix(12))."))
        #expect(batch.objectName.contains(fixture.session.queueID))
    }

    @Test func `without compression the object is its lines`() throws {
        try fixture.append([Body.one("a"), Body.one("b")])
        var settings = fixture.settings
        settings.compression = .none
        try sealAll(settings)
        #expect(try names() == ["a/sent", "b/sent"])
        #expect(try fixture.unshipped().allSatisfy { $0.objectName.hasSuffix(".ndjson") })
    }

    @Test func `a double inside one body stands once`() throws {
        try fixture.append([Body.statuses([Body.status("a"), Body.status("a")])])
        try sealAll()
        #expect(try names() == ["a/sent"])
        #expect(fixture.metrics.doubles.value == 1)
    }

    @Test func `a double in the open batch stands once`() throws {
        try fixture.append([Body.one("a"), Body.one("a"), Body.one("a", "read")])
        try sealAll()
        #expect(try names() == ["a/sent", "a/read"])
    }

    @Test func `a double of an earlier batch stands once, after a restart too`() throws {
        try fixture.append([Body.one("a")])
        try sealAll()
        try fixture.append([Body.one("a"), Body.one("b")])
        try sealAll()
        #expect(try names().sorted() == ["a/sent", "b/sent"])
        #expect(try fixture.session.statistics().count(.lakeDoubles) == 1)
    }

    @Test func `a double behind a batch that closed in the same look stands once`() throws {
        // All of them are one slice; the keys of the first batch are stored while it is taken in.
        let later = noon + .seconds(3_600)
        try fixture.append([(Body.one("a"), noon), (Body.one("b"), later), (Body.one("a"), later)])
        try sealAll()
        #expect(try names().sorted() == ["a/sent", "b/sent"])
    }

    @Test func `receipts of a group that differ in the participant alone are kept apart`() throws {
        func receipt(_ participant: String) -> String {
            """
            {"id":"wamid.g","status":"read","timestamp":"1790080200","recipient_id":"group-1",\
            "recipient_type":"group","recipient_participant_id":"\(participant)"}
            """
        }
        try fixture.append([Body.statuses([receipt("15550003333"), receipt("15550004444")])])
        try sealAll()
        #expect(try names() == ["g/read", "g/read"])
    }

    @Test func `webhooks without a status move the cursor once a second, and no object is made`()
        throws
    {
        try fixture.append([Body.message("m"), "not json", "{}"])
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer, uptime: .milliseconds(10))
        #expect(try fixture.session.lake.cursor() == .none)
        try fixture.drain(sealer, uptime: .milliseconds(1_010))
        #expect(try fixture.session.lake.cursor() == WebhookID(rawValue: 3))
        #expect(try fixture.unshipped().isEmpty)
    }

    @Test func `the cursor does not pass a status that is not sealed`() throws {
        try fixture.append([Body.one("a"), Body.message("m")])
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer)
        try fixture.drain(sealer, uptime: .seconds(30))
        #expect(try fixture.session.lake.cursor() == .none)
    }

    @Test func `doubles alone move the cursor and make no object`() throws {
        try fixture.append([Body.one("a")])
        try sealAll()
        try fixture.append([Body.one("a")])
        try sealAll()
        #expect(try fixture.unshipped().count == 1)
        #expect(try fixture.session.lake.cursor() == WebhookID(rawValue: 2))
        #expect(try fixture.session.statistics().balances)
    }

    @Test func `a batch closes by age when nothing else arrives`() throws {
        try fixture.append([Body.one("a")])
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer, now: noon + .milliseconds(59_500))
        #expect(
            try sealer.turn(now: noon + .milliseconds(59_500), uptime: .zero)
                == .wait(.milliseconds(500)))
        #expect(try fixture.unshipped().isEmpty)
        try fixture.drain(sealer, now: noon + .seconds(60))
        #expect(try names() == ["a/sent"])
    }

    @Test func `a batch crosses no hour, also where the clock was set back`() throws {
        let hour = Timestamp(rawValue: noon.rawValue - noon.rawValue % 3_600_000)
        let (before, after) = (hour - .milliseconds(1), hour + .seconds(1))
        try fixture.append([
            (Body.one("a"), before), (Body.one("b"), after), (Body.one("c"), before),
            (Body.message("m"), after), (Body.one("d"), before),
        ])
        try sealAll()
        let batches = try fixture.unshipped()
        #expect(batches.map(\.lineCount) == [1, 1, 2])
        #expect(batches.map(\.firstID.rawValue) == [1, 2, 3])
        let hours = batches.map { $0.objectName.split(separator: "/")[2] }
        #expect(hours[0] == hours[2] && hours[0] != hours[1])
        #expect(try names().sorted() == ["a/sent", "b/sent", "c/sent", "d/sent"])
    }

    @Test func `a batch stays within its bytes, and no webhook is split`() throws {
        let bodies = (0..<30).map { number in
            Body.statuses([Body.status("\(number)a"), Body.status("\(number)b")])
        }
        try fixture.append(bodies)
        var settings = fixture.settings
        settings.rules.lineByteCountMax = 2_000
        try sealAll(settings)
        let batches = try fixture.unshipped()
        #expect(batches.count > 3)
        for batch in batches {
            let lines = try Files.lines(of: fixture.spool.path(ofObject: batch.objectName))
            #expect(lines.reduce(0) { $0 + $1.utf8.count + 1 } <= 2_000)
            #expect(lines.count % 2 == 0)
        }
        #expect(try names().count == 60)
    }

    @Test func `a webhook larger than the limit is a batch of its own`() throws {
        let large = Body.statuses((0..<50).map { Body.status("large\($0)") })
        try fixture.append([Body.one("a"), large, Body.one("b")])
        var settings = fixture.settings
        settings.rules.lineByteCountMax = 2_000
        try sealAll(settings)
        #expect(try fixture.unshipped().map(\.lineCount) == [1, 50, 1])
    }

    @Test func `half of a surrogate pair is replaced and counted`() throws {
        let status = """
            {"id":"wamid.s","status":"failed","timestamp":"1790080200","note":"a\\ud83d"}
            """
        try fixture.append([Body.statuses([status])])
        try sealAll()
        #expect(try fixture.spooledLines().allSatisfy { $0.contains("a\\ufffd") })
        #expect(fixture.metrics.loneSurrogates.value == 1)
    }
}
