import Base
import Foundation
import Queue
import TestSupport
import Testing

@testable import pipelinectl

@Suite struct EraseCommandTests {
    private static let person = "4915550000001"
    let rig: CommandRig

    init() throws {
        rig = try CommandRig()
        rig.environment["LAKE_URL"] = "file:" + rig.directory.file("lake")
    }

    private func body(from senders: [String]) -> [UInt8] {
        let messages = senders.map {
            #"{"from":"\#($0)","id":"wamid.\#($0)","timestamp":"1","type":"text"}"#
        }
        return Array(
            (#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":"#
                + #"{"metadata":{"phone_number_id":"1"},"messages":["#
                + messages.joined(separator: ",") + #"]},"field":"messages"}]}]}"#).utf8)
    }

    /// One waiting, one delivered, one dead of the person; the same of somebody else.
    private func fill() throws {
        for sender in [Self.person, "49"] {
            let letter = CommandRig.Letter(conversation: "1:\(sender)", body: body(from: [sender]))
            try rig.deliver(letter)
            try rig.settle(.delivered, letter)
            try rig.bury(letter)
        }
        for sender in [Self.person, "49"] {
            try rig.deliver(.init(conversation: "1:\(sender)", body: body(from: [sender])))
        }
        try rig.append(body(from: [Self.person]))
        try rig.append(body(from: [Self.person, "49"]))
        try rig.append(body(from: ["49"]))
    }

    private func bytes(_ path: String) throws -> Data {
        FileManager.default.fileExists(atPath: path)
            ? try Data(contentsOf: URL(fileURLWithPath: path)) : Data()
    }

    @Test func `a person is gone from every file, and others are not`() throws {
        try fill()
        let outcome = rig.run("erase", "--wa-id", Self.person, "--json")
        #expect(outcome.code == 0, "\(outcome.error)")
        let report = try outcome.json()
        #expect(report["deliveries"] as? Int == 2)
        #expect(report["dead_letters"] as? Int == 1)
        let needle = Data(Self.person.utf8)
        for path in [rig.location.path, rig.location.walPath] {
            #expect(try bytes(path).range(of: needle) == nil, "\(path) still holds the number")
        }
        #expect(try bytes(rig.location.path).range(of: Data(#""from":"49""#.utf8)) != nil)
        #expect(try rig.statistics().balances)
        #expect(try rig.statistics().count(.erased) > 0)
        let verify = rig.run("verify")
        #expect(verify.code == 0, "\(verify.output)")
    }

    @Test func `a dry run changes nothing and says the same`() throws {
        try fill()
        let dry = try rig.run("erase", "--wa-id", Self.person, "--dry-run", "--json").json()
        #expect(try bytes(rig.location.walPath).range(of: Data(Self.person.utf8)) != nil)
        let real = try rig.run("erase", "--wa-id", Self.person, "--json").json()
        for key in ["webhooks", "deliveries", "dead_letters", "events"] {
            #expect(dry[key] as? Int == real[key] as? Int, "\(key)")
        }
    }

    @Test func `workers must be stopped, and somebody must be named`() throws {
        let lock = try FileLock.acquire(path: rig.location.lakeLockPath)
        #expect(rig.run("erase", "--wa-id", Self.person).code == 1)
        lock?.release()
        #expect(rig.run("erase").code == 2)
        #expect(rig.run("erase", "--wa-id", "+49 155").code == 2)
        #expect(rig.run("erase", "--wa-id", "1234", "--user-id", "US.1").code == 2)
    }

    private func line(_ person: String) -> String {
        #"{"event_key":"\#(person)","id":"wamid.\#(person)","recipient_id":"\#(person)"}"# + "\n"
    }

    /// An object of this queue, or of another, in the books where it is of this one.
    private func put(_ lines: [String], queueID: String) throws -> String {
        let name = "statuses/dt=2026-11-24/hour=11/\(queueID)-1-1-aaaaaaaaaaaa.ndjson"
        let path = rig.directory.file("lake/" + name)
        try FileManager.default.createDirectory(
            atPath: DurableFile.parent(of: path), withIntermediateDirectories: true)
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
        guard queueID == rig.session.queueID else { return path }
        try rig.append(body(from: ["49"]))
        let batch = SealedBatch(
            objectName: name, sha256: String(repeating: "a", count: 64), byteCount: 1,
            lineCount: lines.count, firstID: WebhookID(rawValue: 1),
            lastID: WebhookID(rawValue: 1), sealedAt: CommandRig.now)
        try rig.session.lake.seal(batch, foundCount: lines.count, doubleCount: 0)
        let sealed = try #require(try rig.session.lake.unshippedBatches().first)
        try rig.session.lake.markShipped(sealed, at: CommandRig.now)
        return path
    }

    @Test func `this queue's objects in a file lake lose the lines, another's are named`() throws {
        let ours = try put([line(Self.person), line("49")], queueID: rig.session.queueID)
        let other = try put([line(Self.person)], queueID: "0123456789ab")
        let outcome = rig.run("erase", "--wa-id", Self.person, "--json")
        #expect(outcome.code == 0, "\(outcome.error)")
        let report = try outcome.json()
        #expect(report["objects"] as? Int == 1)
        #expect(report["not_reached"] as? [String] == [other])
        #expect(!FileManager.default.fileExists(atPath: ours))
        let files = try FileManager.default.contentsOfDirectory(
            atPath: DurableFile.parent(of: ours))
        let rest = try #require(files.first { $0.hasPrefix(rig.session.queueID) })
        let path = DurableFile.parent(of: ours) + "/" + rest
        #expect(try String(contentsOfFile: path, encoding: .utf8) == line("49"))
        let object = "statuses/dt=2026-11-24/hour=11/" + rest
        #expect(try rig.session.lake.isSealed(objectName: object))
        #expect(try rig.statistics().balances)
        // Once is enough.
        #expect(
            try rig.run("erase", "--wa-id", Self.person, "--json").json()["objects"] as? Int == 0)
    }
}
