import Base
import Foundation
import Queue
import TestSupport
import Testing

@testable import pipelinectl

private let other = "0123456789ab"

@Suite struct LakeVerifyTests {
    /// The kinds of what is wrong, and what each is about.
    private func problems(_ outcome: CommandRig.Outcome) throws -> [String] {
        let json = try outcome.json()
        let items = try #require(json["items"] as? [[String: Any]])
        let counts = try #require(json["problems"] as? [String: Int])
        #expect(counts.values.reduce(0, +) == items.count)
        #expect(json["verdict"] as? String == (items.isEmpty ? "ok" : "fail"))
        #expect(outcome.code == (items.isEmpty ? ExitCode.ok : ExitCode.failed))
        return items.map { "\($0["kind"] ?? "") \($0["id"] ?? "")" }
    }

    private func verify(_ rig: LakeRig, _ arguments: String...) throws -> [String] {
        try problems(rig.rig.run(["lake", "verify", "--json"] + arguments))
    }

    @Test func `a lake that is as it should be is called so, and what it holds is counted`() throws
    {
        let rig = try LakeRig()
        try rig.ship(LakeRig.line(1) + LakeRig.line(2), day: "2026-11-23")
        try rig.ship(LakeRig.line(3))
        let waiting = rig.object(LakeRig.line(4))
        try rig.seal(waiting)
        try rig.spool(waiting)
        try rig.put(rig.object(LakeRig.line(3) + LakeRig.line(5), queueID: other))
        try rig.write([1], to: rig.lake + "/statuses/dt=2026-11-24/hour=09/.half.ndjson.gz.tmp")
        let outcome = rig.rig.run("lake", "verify", "--json")
        #expect(try problems(outcome).isEmpty)
        let json = try outcome.json()
        let objects = try #require(json["objects"] as? [String: Any])
        #expect(objects["count"] as? Int == 3)
        #expect(objects["own"] as? Int == 2)
        #expect(objects["other_hosts"] as? Int == 1)
        #expect(objects["other_queue_ids"] as? [String] == [other])
        #expect(json["waiting"] as? Int == 1)
        let statuses = try #require(json["statuses"] as? [String: Int])
        #expect(statuses == ["lines": 5, "without_key": 0, "shared": 1, "repeated": 0])
        let text = rig.rig.run(["lake", "verify"], reader: .person(colour: false)).output
        #expect(text.contains("nothing is wrong"))
    }

    @Test func `an empty lake of an empty queue is well`() throws {
        #expect(try verify(LakeRig()).isEmpty)
    }

    @Test func `an object that was shipped and is not there is missing`() throws {
        let rig = try LakeRig()
        let gone = try [LakeRig.line(1), LakeRig.line(2), LakeRig.line(3)].map { try rig.ship($0) }
        try rig.ship(LakeRig.line(4), day: "2026-11-25")
        let wholeDay = try rig.ship(LakeRig.line(5), day: "2026-11-26")
        for object in [gone[0], gone[2], wholeDay] {
            try FileManager.default.removeItem(atPath: "\(rig.lake)/\(object.name)")
        }
        let expected = [gone[0], gone[2], wholeDay].map { "missing \($0.name)" }.sorted()
        #expect(try verify(rig).sorted() == expected)
        #expect(try verify(rig, "--quick").sorted() == expected)
    }

    @Test func `other bytes under an object's name are seen, of other hosts' objects too`() throws {
        let rig = try LakeRig()
        let flipped = try rig.ship(LakeRig.line(1))
        var bytes = flipped.bytes
        bytes[4] ^= 1  // The time in gzip's header: it still unpacks to the same lines.
        try rig.put(flipped, bytes: bytes)
        let longer = try rig.ship(LakeRig.line(2))
        try rig.put(longer, bytes: longer.bytes + [0])
        let foreign = rig.object(LakeRig.line(3), queueID: other)
        try rig.put(foreign, bytes: Gzip.member(LakeRig.line(4)))
        #expect(
            try verify(rig).sorted()
                == [flipped, longer, foreign].map { "different \($0.name)" }.sorted())
        #expect(try verify(rig, "--quick") == ["different \(longer.name)"])
    }

    @Test func `lines that a query engine would refuse are reported by object`() throws {
        let rig = try LakeRig()
        let bad = try rig.ship(
            LakeRig.line(1) + "{\"event_key\": broken}\n" + #"{"a":"\ud83d"}"# + "\n")
        let outcome = rig.rig.run("lake", "verify", "--json")
        #expect(try problems(outcome) == ["unreadable_lines \(bad.name)"])
        let item = try #require(try outcome.items().first)
        #expect((item["detail"] as? String)?.hasPrefix("2 lines, the first: line 2: ") == true)
    }

    @Test func `an object that is cut off is unreadable`() throws {
        let rig = try LakeRig()
        let text = LakeRig.line(1)
        let object = rig.object(text)
        // Sealed as it is, so that only its content is wrong.
        let cut = LakeRig.Object(
            name: object.name, bytes: Array(object.bytes.dropLast(9)),
            firstWebhook: object.firstWebhook, lastWebhook: object.lastWebhook, lineCount: 1)
        try rig.seal(cut)
        try rig.put(cut)
        try rig.markShipped()
        #expect(try verify(rig).contains("unreadable \(object.name)"))
    }

    @Test func `more or fewer lines than were sealed are seen`() throws {
        let rig = try LakeRig()
        let object = rig.object(LakeRig.line(1))
        try rig.seal(object, lineCount: 2)
        try rig.put(object)
        try rig.markShipped()
        #expect(try verify(rig) == ["line_count \(object.name)"])
    }

    @Test func `an object with this queue's id that its books do not know is reported`() throws {
        let rig = try LakeRig()
        let old = rig.object(LakeRig.line(1))
        try rig.put(old)
        try rig.ship(LakeRig.line(2))
        // Older than everything in the books: they forget after some months.
        #expect(try verify(rig).isEmpty)
        let unknown = rig.object(LakeRig.line(3))
        try rig.put(unknown)
        #expect(try verify(rig) == ["unknown \(unknown.name)"])
    }

    @Test
    func `a sealed batch whose spool file is gone or differs is lost, unless the lake has it`()
        throws
    {
        let rig = try LakeRig()
        let objects = (1...3).map { rig.object(LakeRig.line($0)) }
        for object in objects { try rig.seal(object) }
        try rig.spool(objects[1], bytes: [1, 2, 3])
        // The worker died between shipping and writing that down.
        try rig.put(objects[2])
        #expect(
            try verify(rig).sorted() == objects.prefix(2).map { "lost \($0.name)" }.sorted())
    }

    @Test func `one host's double is wrong, and its place is named`() throws {
        let rig = try LakeRig()
        let first = try rig.ship(LakeRig.line(1) + LakeRig.line(2))
        let second = try rig.ship(LakeRig.line(2), day: "2026-11-25")
        let outcome = rig.rig.run("lake", "verify", "--json")
        #expect(try problems(outcome) == ["doubled 00000000000000000000000000000002"])
        let item = try #require(try outcome.items().first)
        #expect(item["detail"] as? String == "2 times, in \(first.name) and \(second.name)")
    }

    @Test func `another host's own doubles are wrong too, and Firehose's are not`() throws {
        let rig = try LakeRig()
        try rig.put(rig.object(LakeRig.line(1) + LakeRig.line(1), queueID: other))
        try rig.write(
            Array((LakeRig.line(7) + LakeRig.line(7)).utf8),
            to: rig.lake + "/statuses/dt=2026-11-24/hour=09/stream-1-2026-11-24-09-00-00-x")
        let outcome = rig.rig.run("lake", "verify", "--json")
        #expect(try problems(outcome) == ["doubled 00000000000000000000000000000001"])
        let statuses = try #require(try outcome.json()["statuses"] as? [String: Int])
        #expect(statuses["repeated"] == 1)
        #expect(statuses["lines"] == 4)
    }

    @Test func `--since looks at neither older objects nor older books`() throws {
        let rig = try LakeRig()
        let gone = try rig.ship(LakeRig.line(1), day: "2026-11-20")
        try FileManager.default.removeItem(atPath: "\(rig.lake)/\(gone.name)")
        let other = try rig.ship(LakeRig.line(2), day: "2026-11-20")
        try rig.put(other, bytes: [1])
        try rig.ship(LakeRig.line(3))
        #expect(try verify(rig, "--since", "2026-11-21").isEmpty)
        #expect(
            try verify(rig, "--since", "2026-11-20").sorted()
                == ["different \(other.name)", "missing \(gone.name)"])
    }

    @Test func `books of more than a page are compared to their end, and a lake that is gone`()
        throws
    {
        let rig = try LakeRig()
        for number in 1...1_002 { try rig.seal(rig.object(LakeRig.line(number))) }
        try rig.markShipped()
        let outcome = rig.rig.run("lake", "verify", "--quick", "--json")
        #expect(outcome.code == ExitCode.failed)
        let problems = try #require(try outcome.json()["problems"] as? [String: Int])
        #expect(problems["missing"] == 1_002)
        // Counted, and not all of them listed.
        #expect(try outcome.items().count == 1_000)
    }

    @Test func `a batch that is shipped while the lake is read is not called missing`() throws {
        let rig = try LakeRig()
        let object = rig.object(LakeRig.line(1))
        try rig.seal(object)
        try rig.spool(object)
        let store = LateStore(DirectoryStore(root: rig.lake)) {
            try rig.put(object)
            try rig.markShipped()
        }
        let console = Console(reader: .program, output: { _ in true }, error: { _ in true })
        let verification = try LakeVerification(
            store, against: rig.rig.session, location: rig.rig.location, since: nil,
            isQuick: false, spillDirectory: rig.rig.directory.path,
            progress: Progress("objects:", of: nil, on: console))
        try verification.run()
        #expect(verification.findings.isWell)
        #expect(store.hasHappened)
    }
}

/// A lake in which something happens right after its days were listed.
///
/// `@unchecked Sendable`: the test that owns it calls it from one thread.
private final class LateStore: LakeStore, @unchecked Sendable {
    private let store: DirectoryStore
    private let event: () throws -> Void
    private(set) var hasHappened = false

    init(_ store: DirectoryStore, _ event: @escaping () throws -> Void) {
        self.store = store
        self.event = event
    }

    var description: String { store.description }
    var readersMax: Int { 1 }

    func days() throws(LakeReadError) -> [String] {
        let days = try store.days()
        do { try event() } catch { throw LakeReadError("\(error)") }
        hasHappened = true
        return days
    }

    func objects(of day: String) throws(LakeReadError) -> [StoredObject] {
        try store.objects(of: day)
    }

    func byteCount(of name: String) throws(LakeReadError) -> Int? {
        try store.byteCount(of: name)
    }

    func read(
        _ object: StoredObject,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LakeReadError) {
        try store.read(object, body)
    }
}
