import Base
import Foundation
import Queue
import TestSupport
import Testing

@testable import pipelinectl

private let id = "wamid.HBgLMTU1NTAxMDA/MDAVAgARGBI="

private func message(_ id: String) -> String {
    let escaped = id.replacingOccurrences(of: "/", with: "\\/")
    return """
        {"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",\
        "value":{"metadata":{"phone_number_id":"2"},"messages":[{"from":"3","id":"\(escaped)",\
        "timestamp":"1795521000","type":"text","text":{"body":"x"}}]}}]}]}
        """
}

private func statuses(_ id: String, _ names: [String]) -> String {
    let escaped = id.replacingOccurrences(of: "/", with: "\\/")
    let list = names.enumerated().map { index, name in
        #"{"id":"\#(escaped)","status":"\#(name)","timestamp":"\#(1_795_521_000 + index)"}"#
    }.joined(separator: ",")
    return """
        {"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",\
        "value":{"metadata":{"phone_number_id":"2"},"statuses":[\(list)]}}]}]}
        """
}

private func line(_ id: String, _ status: String, key: String) -> String {
    #"{"event_key":"\#(key)","received_at":"2026-11-24T11:00:00.000Z","id":"\#(id)","status":"#
        + #""\#(status)","timestamp":"1795521000"}"# + "\n"
}

private func gzipped(_ text: String) -> Data { Data(Gzip.member(text)) }

@Suite struct LookupCommandTests {
    /// A queue with an empty lake of its own.
    private func rig() throws -> CommandRig {
        let rig = try CommandRig()
        rig.environment["LAKE_URL"] = "file:" + rig.directory.file("lake")
        return rig
    }

    private func put(_ data: Data, _ name: String, in rig: CommandRig, day: String) throws {
        let directory = rig.directory.file("lake/statuses/dt=\(day)/hour=11")
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: directory + "/" + name))
    }

    @Test func `a message is found in the log and as a delivery, with its attempts`() throws {
        let rig = try rig()
        var letter = CommandRig.Letter()
        letter.body = Array(message(id).utf8)
        try rig.bury(letter)
        try rig.bury()
        let outcome = rig.run("lookup", id, "--json")
        #expect(outcome.code == ExitCode.ok)
        let json = try outcome.json()
        #expect(json["id"] as? String == id)
        #expect((json["webhooks"] as? [[String: Any]])?.map { $0["id"] as? Int } == [1])
        let deliveries = try #require(json["deliveries"] as? [[String: Any]])
        #expect(deliveries.map { $0["id"] as? Int } == [1])
        #expect(deliveries[0]["state"] as? String == "dead")
        #expect((deliveries[0]["attempts"] as? [Any])?.count == 1)
        #expect((json["statuses"] as? [Any])?.isEmpty == true)
    }

    @Test func `statuses are found in the log, the spool and the lake, each once`() throws {
        let rig = try rig()
        try rig.append(Array(statuses(id, ["sent", "delivered"]).utf8))
        try rig.append(Array(statuses("wamid.other", ["sent"]).utf8))
        let first = try rig.run("lookup", id, "--json").json()
        let inLog = try #require(first["statuses"] as? [[String: Any]])
        #expect(inLog.map { $0["status"] as? String } == ["sent", "delivered"])

        // The first of them again, as it went into the lake, and others that are only there.
        let known = try #require(inLog[0]["line"] as? String) + "\n"
        let other = line("wamid.other", "read", key: "0")
        try put(
            gzipped(other + known + line(id, "read", key: "a")), "x.ndjson.gz", in: rig,
            day: "2026-11-24")
        try put(Data(line(id, "failed", key: "b").utf8), "y.ndjson", in: rig, day: "2026-11-20")
        try put(Data(line(id, "played", key: "c").utf8), "z.ndjson", in: rig, day: "2026-11-01")
        try put(Data(line(id, "gone", key: "d").utf8), ".w.ndjson.tmp", in: rig, day: "2026-11-24")
        try Data(line(id, "warning", key: "e").utf8).write(
            to: URL(fileURLWithPath: rig.location.spoolDirectory + "/s.ndjson"))

        let json = try rig.run("lookup", id, "--json").json()
        let found = try #require(json["statuses"] as? [[String: Any]])
        let names = Set(found.compactMap { $0["status"] as? String })
        #expect(names == ["sent", "delivered", "read", "failed", "warning"])
        #expect(found.count == 5)
        let all = try rig.run("lookup", id, "--since", "60d", "--json").json()
        #expect((all["statuses"] as? [Any])?.count == 6)
    }

    @Test func `a person sees what happened in its order`() throws {
        let rig = try rig()
        var letter = CommandRig.Letter()
        letter.body = Array(message(id).utf8)
        try rig.deliver(letter)
        try rig.settle(.delivered, letter)
        let text = rig.run(["lookup", id], reader: .person(colour: false)).output
        let table = text.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("WHEN") }.prefix { !$0.isEmpty }
        let words = table.map { $0.dropFirst(26).prefix(15) }
        #expect(
            words.map { $0.trimmingCharacters(in: .whitespaces) } == [
                "WHAT", "received", "received", "attempt 1: answ", "accepted by PHP",
            ])
    }

    @Test func `what is not known is not found, and what is no id is a mistake`() throws {
        let rig = try rig()
        try rig.bury()
        #expect(rig.run("lookup", "wamid.none").code == ExitCode.notFound)
        for bad in ["", "a\"b", "a b c d", "abc\\def", "x", String(repeating: "x", count: 600)] {
            #expect(rig.run(["lookup", "--", bad]).code == ExitCode.usage)
        }
    }

    @Test func `a damaged object is said, and the others are searched`() throws {
        let rig = try rig()
        try put(Data("no gzip at all".utf8), "a.ndjson.gz", in: rig, day: "2026-11-24")
        let whole = gzipped(line(id, "sent", key: "a"))
        try put(whole.dropLast(6), "b.ndjson.gz", in: rig, day: "2026-11-24")
        try put(whole, "c.ndjson.gz", in: rig, day: "2026-11-24")
        let outcome = rig.run("lookup", id, "--json")
        #expect(outcome.code == ExitCode.ok)
        #expect((try outcome.json()["unreadable"] as? [Any])?.count == 2)
        #expect((try outcome.json()["statuses"] as? [Any])?.count == 1)
        #expect(outcome.error.contains("is cut off, or no gzip"))
    }
}

@Suite struct ByteFinderTests {
    @Test func `it finds what a plain search finds`() {
        var generator = SeededGenerator.announced("ByteFinderTests")
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                UInt8.random(in: 0...2, using: &generator)
            }
            let needle = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                UInt8.random(in: 0...2, using: &generator)
            }
            let start = Int.random(in: 0...5, using: &generator)
            let expected = (start..<max(start, text.count)).first {
                text[$0...].starts(with: needle)
            }
            let found = text.withUnsafeBytes { ByteFinder(needle).first(in: $0, from: start) }
            #expect(found == expected)
        }
    }

    @Test func `lines are found across pieces of a file, in one member or several`() throws {
        let directory = try TemporaryDirectory()
        let filler = String(repeating: "x", count: 99_999) + "\n"
        let hit = "here is NEEDLE\n"
        let text = hit + filler + filler + hit + filler + hit
        for (name, data) in [
            ("a.ndjson", Data(text.utf8)), ("b.ndjson.gz", gzipped(text)),
            ("c.ndjson.gz", gzipped(hit + filler) + gzipped(filler + hit) + gzipped(filler + hit)),
        ] {
            try data.write(to: URL(fileURLWithPath: directory.file(name)))
            var count = 0
            let search = ObjectSearch(needles: (Array("NEEDLE".utf8), Array("NEEDLE".utf8)))
            let isWhole = try search.lines(
                { (body) throws(LakeReadError) in
                    try DirectoryStore.read(file: directory.file(name), body)
                },
                { line in if line == Array("here is NEEDLE".utf8) { count += 1 } })
            #expect(isWhole)
            #expect(count == 3, "\(name)")
        }
    }
}
