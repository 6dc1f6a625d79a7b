import Base
import Foundation
import Queue
import Testing

@testable import pipelinectl

@Suite struct DeadExportTests {
    /// Letters of every kind, among them bodies and answers that are hard to carry.
    private func fill(_ rig: CommandRig) throws {
        try rig.bury()
        var letter = CommandRig.Letter()
        letter.body = [0xFF, 0x00, 0x0A, 0x7B]
        letter.answer = [0xC3]
        letter.reason = .attemptsSpent(status: nil)
        try rig.bury(letter)
        letter.body = Array("{\"a\":\"\u{2028}\u{1F600}\u{0}\u{FEFF}\\u0000\"}".utf8)
        letter.reason = .tooOld(status: 503)
        letter.field = "account_update"
        try rig.bury(letter)
        try rig.buryUnparseable("{not json")
    }

    private func letters(_ rig: CommandRig) throws -> [String] {
        rig.run("dead", "export", "--all").output.split(separator: "\n").map { line in
            // The id is the queue's own; everything else travels.
            String(line.drop { $0 != "," })
        }
    }

    @Test func `what is exported comes back whole in another queue, once`() throws {
        let (source, target) = (try CommandRig(), try CommandRig())
        try fill(source)
        let file = source.directory.file("letters.ndjson")
        let exported = source.run("dead", "export", "--all", "--out", file, "--json")
        #expect(try exported.json()["exported"] as? Int == 4)
        let facts = try FileManager.default.attributesOfItem(atPath: file)
        #expect(facts[.posixPermissions] as? Int == 0o600)

        let dry = target.run("dead", "import", file, "--dry-run", "--json")
        #expect(try dry.json()["imported"] as? Int == 4)
        #expect(try target.statistics().count(.deadLetters) == 0)
        let done = target.run("dead", "import", file, "--json")
        #expect(try done.json()["imported"] as? Int == 4)
        #expect(try letters(target) == letters(source))
        #expect(try target.statistics().count(.deadLetters) == 4)
        #expect(try target.statistics().balances)

        let again = target.run("dead", "import", file, "--json")
        #expect(try again.json()["imported"] as? Int == 0)
        #expect(try again.json()["already_here"] as? Int == 4)
        #expect(target.run("dead", "replay", "1").code == ExitCode.ok)
        #expect(try target.statistics().balances)
    }

    @Test func `a file is never replaced, and a missing letter is said`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let file = rig.directory.file("letters.ndjson")
        #expect(rig.run("dead", "export", "1", "9", "--out", file).code == ExitCode.notFound)
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(rig.run("dead", "export", "1", "--out", file).code == ExitCode.failed)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory.path)
        #expect(!names.contains { $0.hasSuffix(".tmp") })
    }

    @Test func `where a line is wrong nothing is taken in`() throws {
        let (source, target) = (try CommandRig(), try CommandRig())
        for _ in 0..<150 { try source.bury() }
        let text = source.run("dead", "export", "--all").output
        let file = target.directory.file("letters.ndjson")
        try Data((text + "{\"id\":1}\n").utf8).write(to: URL(fileURLWithPath: file))
        let outcome = target.run("dead", "import", file)
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.error.contains("letters.ndjson:151: reason is missing"))
        #expect(try target.statistics().count(.deadLetters) == 0)
        #expect(target.run("dead", "import", file + "x").code == ExitCode.failed)
    }

    @Test(arguments: [
        (#""reason":"refused""#, #""reason":"bored""#),
        (#""conversations":["1:491511"]"#, #""conversations":[]"#),
        (#""conversations":["1:491511"]"#, #""conversations":["a\nb"]"#),
        (#""conversations":["1:491511"]"#, #""conversations":["a","a"]"#),
        (#""events":1"#, #""events":0"#), (#""events":1"#, #""events":"1""#),
        (#""died_at":"2026"#, #""died_at":"x026"#), (#""spent":true"#, #""spent":null"#),
        (#""delivery_id":"key-1""#, #""delivery_id":"a\r\nb""#),
        (#""delivery_id":"key-1""#, #""delivery_id":null"#),
        (#""body":"#, #""bodies":"#), (#""cut":false"#, #""cut":"no""#),
        (#""X-Hub-Signature-256":"#, #""X-Other":"#), (#""part":0"#, #""part":-1"#),
        (#""duration_ms":12"#, #""duration_ms":1e99"#),
    ])
    func `a line that was tampered with is refused`(from: String, to: String) throws {
        let rig = try CommandRig()
        try rig.bury()
        let line = rig.run("dead", "export", "1").output
        #expect(throws: Never.self) { try DeadLetterReader.read(Array(line.utf8)) }
        let changed = line.replacingOccurrences(of: from, with: to)
        #expect(changed != line, "\(line)")
        #expect(throws: DeadLetterReader.Mistake.self) {
            try DeadLetterReader.read(Array(changed.utf8))
        }
    }
}

@Suite struct LineReaderTests {
    private func lines(_ text: String, limit: Int = 100) throws -> [String] {
        let rig = try CommandRig()
        let file = rig.directory.file("lines")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let reader = try LineReader(file, lineBytesMax: limit)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test func `lines end at line feeds, and the last one may lack it`() throws {
        #expect(try lines("") == [])
        #expect(try lines("a") == ["a"])
        #expect(try lines("a\n\nb\n") == ["a", "", "b"])
        #expect(try lines("\n") == [""])
    }

    @Test func `lines longer than a read are whole, and longer than the limit refused`() throws {
        let long = String(repeating: "x", count: 600_000)
        #expect(try lines("a\n\(long)\nb", limit: 1_000_000) == ["a", long, "b"])
        #expect(throws: SystemError.self) { try lines("a\n\(long)\nb", limit: 300_000) }
    }
}
