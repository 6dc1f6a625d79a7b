import AWS
import Base
import Synchronization
import TestSupport
import Testing

@testable import Workers

@Suite struct RecordPackerTests {
    static func requests(_ lines: [[UInt8]], _ limits: RecordPacker.Limits) -> [RecordPacker
        .Request]
    {
        var packer = RecordPacker(limits, lineCount: 0)
        var requests = lines.compactMap { packer.add($0) }
        if let last = packer.finish() { requests.append(last) }
        return requests
    }

    @Test func `lines of any length stay whole, in order, and within every bound`() {
        var generator = SeededGenerator.announced("record packer")
        for _ in 0..<200 {
            var limits = RecordPacker.Limits()
            limits.recordCountMax = Int.random(in: 1...5, using: &generator)
            limits.recordByteCountMax = Int.random(in: 40...200, using: &generator)
            limits.requestByteCountMax =
                RecordPacker.Limits.requestOverhead
                + Int.random(in: 300...900, using: &generator)
            let lines = (0..<Int.random(in: 0...60, using: &generator)).map { number in
                Array("\(number)".utf8)
                    + [UInt8](repeating: 46, count: Int.random(in: 0...36, using: &generator))
                    + [10]
            }
            let requests = Self.requests(lines, limits)
            #expect(requests.flatMap(\.records).flatMap { $0 } == lines.flatMap { $0 })
            var lineCount = 0
            for request in requests {
                let records = request.records
                #expect((1...limits.recordCountMax).contains(records.count))
                #expect(records.allSatisfy { $0.last == 10 })
                #expect(records.allSatisfy { $0.count <= limits.recordByteCountMax })
                let travelling = records.map { ($0.count + 2) / 3 * 4 + 12 }.reduce(512, +)
                #expect(travelling <= limits.requestByteCountMax)
                lineCount += records.flatMap { $0 }.count { $0 == 10 }
                #expect(request.lineCount == lineCount)
            }
        }
    }

    @Test func `a million bytes of lines go in few large records`() {
        let line = [UInt8](repeating: 120, count: 399) + [10]
        let requests = Self.requests([[UInt8]](repeating: line, count: 10_000), .init())
        #expect(requests.map(\.records.count) == [4, 1] || requests.count == 2)
        #expect(requests.flatMap(\.records).count <= 5)
    }
}

/// Against moto's Firehose, which delivers into a bucket at once.
@Suite struct FirehoseLakeTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    /// Books in memory.
    final class Books: Sendable {
        private let lineCount = Mutex(0)
        var value: Int { lineCount.withLock { $0 } }
        var progress: FirehoseLake.Progress {
            FirehoseLake.Progress(
                load: { _ in self.value },
                store: { _, count in self.lineCount.withLock { $0 = count } })
        }
    }

    func object(lineCount: Int) throws -> SealedObject {
        let bytes = Array((0..<lineCount).map { "{\"number\":\($0)}\n" }.joined().utf8)
        let path = fixture.directory.file("spooled")
        try Files.write(bytes, to: path)
        let digest = ObjectDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return SealedObject(
            name: "statuses/x.ndjson", path: path, byteCount: bytes.count,
            sha256: digest.finishHex())
    }

    func lake(_ under: LakeUnderTest, _ books: Books) throws -> FirehoseLake {
        var limits = RecordPacker.Limits()
        limits.recordByteCountMax = 100
        limits.recordCountMax = 10
        let client = try #require(try under.make() as? FirehoseLake).client
        return FirehoseLake(client: client, progress: books.progress, limits: limits)
    }

    @Test func `only the records that were not taken are sent again`() throws {
        let under = try LakeUnderTest(.stream, fixture)
        try under.proxy?.fail(.partial, count: 3)
        let books = Books()
        try lake(under, books).put(try object(lineCount: 200))
        let lines = try under.lines()
        #expect(lines.count == 200)
        #expect(Set(lines).count == 200)
        #expect(books.value == 200)
    }

    @Test func `a lake that stops in the middle goes on behind what the books hold`() throws {
        let under = try LakeUnderTest(.stream, fixture)
        let books = Books()
        let object = try object(lineCount: 200)
        try under.proxy?.fail(.status(500, code: "ServiceUnavailableException"), after: 2)
        #expect(throws: LakeError.self) { try lake(under, books).put(object) }
        let before = books.value
        #expect(before > 0 && before < 200)
        try under.heal()
        // Another process: it knows only the books.
        try lake(under, books).put(object)
        let lines = try under.lines()
        #expect(lines.count == 200)
        #expect(Set(lines).count == 200)
    }

    @Test func `a line that is too long for a record stands under an alarm, and is not lost`()
        throws
    {
        let under = try LakeUnderTest(.stream, fixture)
        let text = "{\"text\":\"" + String(repeating: "x", count: 1_100_000) + "\"}\n"
        let path = fixture.directory.file("spooled")
        try Files.write(Array(text.utf8), to: path)
        let digest = ObjectDigest()
        Array(text.utf8).withUnsafeBytes { digest.update($0) }
        let object = SealedObject(
            name: "statuses/x.ndjson", path: path, byteCount: text.utf8.count,
            sha256: digest.finishHex())
        let made = try under.make()
        let error = #expect(throws: LakeError.self) { try made.put(object) }
        #expect(error?.kind == .unshippable)
        #expect(error?.concernsOneObject == true)
    }

    @Test func `a batch that was packed before is unpacked on its way`() throws {
        let under = try LakeUnderTest(.stream, fixture)
        try fixture.append((0..<500).map { Body.one("\($0)") })
        let sealer = try fixture.makeSealer()
        try fixture.drain(sealer)
        try sealer.finish()
        #expect(try fixture.unshipped().first?.objectName.hasSuffix(".gz") == true)
        let session = try fixture.makeShipper(
            to: try under.make(.inBooks(of: fixture.session)))
        try fixture.ship(session)
        #expect(try Set(under.lines().map(Body.name)).count == 500)
        #expect(try under.lines().count == 500)
        #expect(try fixture.unshipped().isEmpty)
    }
}
