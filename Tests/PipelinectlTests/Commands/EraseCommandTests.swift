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
}
