import Base
import Foundation
import Queue
import TestSupport
import Testing

@testable import pipelinectl

/// What every command must do alike, asked of every command that there is.
///
/// A new command fails here until it has examples, a section in docs/CLI_JSON.md, and a line in
/// ``runs``.
@Suite struct RegistryTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/CLI_JSON.md")

    private static let specifications = CommandList.all.map { $0.specification }

    /// Command lines that together show every key of a command's JSON; FOLDER is the test's own.
    private static let runs: [String: [[String]]] = [
        "status": [["status"]],
        "top": [["top", "--interval", "1"]],
        "dead list": [["dead", "list"], ["dead", "list", "--limit", "1"]],
        "dead show": [
            ["dead", "show", "1"], ["dead", "show", "2"], ["dead", "show", "3"],
            ["dead", "export", "1", "--out", "FOLDER/new.json"],
            ["dead", "edit", "1", "--with", "FOLDER/new.json"], ["dead", "show", "1"],
            ["dead", "edit", "2", "--with", "FOLDER/new.json"], ["dead", "show", "2"],
        ],
        "dead edit": [
            ["dead", "export", "1", "--out", "FOLDER/new.json"],
            ["dead", "edit", "1", "--with", "FOLDER/new.json", "--dry-run"],
            ["dead", "edit", "1", "--with", "FOLDER/new.json"],
        ],
        "audit": [
            ["dead", "export", "1", "--out", "FOLDER/letters.ndjson"], ["dead", "replay", "1"],
            ["audit"], ["audit", "--limit", "1"],
        ],
        "dead replay": [
            ["dead", "replay", "3", "99"], ["dead", "replay", "--all", "--dry-run"],
        ],
        "dead discard": [["dead", "discard", "1", "98", "--because", "a test", "--dry-run"]],
        "dead export": [["dead", "export", "1", "97", "--out", "FOLDER/letters.ndjson"]],
        "dead import": [
            ["dead", "export", "1", "--out", "FOLDER/again.ndjson"],
            ["dead", "import", "FOLDER/again.ndjson"],
        ],
        "replay": [["replay", "--since", "1d", "--dry-run"]],
        "send": [["send", "--sample", "text", "--url", "URL"]],
        "lookup": [["lookup", "wamid.SHAPE"], ["lookup", "wamid.PLAIN"]],
        "lake ddl": [["lake", "ddl"]],
        "lake verify": [["lake", "verify"]],
        "check": [["check"]],
        "backup": [["backup", "FOLDER/backup.db"]],
        "restore": [
            ["backup", "FOLDER/backup.db"],
            ["QUEUE_PATH=FOLDER/restored.db", "restore", "FOLDER/backup.db"],
        ],
        "verify": [["verify"]],
        "salvage": [["salvage", "FOLDER/queue.db", "FOLDER/saved.db"]],
        "erase": [["erase", "--wa-id", "4915550000001", "--dry-run"]],
        "help": [["help"]],
        "completions": [["completions", "fish"]],
        "version": [["version"]],
    ]

    @Test(arguments: specifications.map(\.name))
    func `a command says what it does, with an example that can be typed`(name: String) throws {
        let command = try #require(Self.specifications.first { $0.name == name })
        let help = CommandRig.run(command.words + ["--help"])
        #expect(help.code == ExitCode.ok)
        #expect(help.output.hasPrefix("pipelinectl \(name) - \(command.summary)\n"))
        #expect(help.output.contains("\nusage: pipelinectl \(name)"))
        #expect(!command.examples.isEmpty)
        #expect(!command.summary.hasSuffix("."))
        let tooLong = help.output.split(separator: "\n").dropFirst().filter {
            $0.count > 80 && !$0.hasPrefix("  pipelinectl ")
        }
        #expect(tooLong.map(String.init) == [])
        let parser = ArgumentParser(commands: Self.specifications, now: CommandRig.now)
        for example in command.examples {
            // The shell's part of the line comes behind the first sign that is the shell's.
            let own = example.line.split(whereSeparator: { "|>".contains($0) })[0]
            let words = Self.words(String(own).replacing(/\$\([^)]*\)/, with: "x"))
            guard case .run(let parsed) = try parser.parse(words) else {
                Issue.record("\(example.line) runs nothing")
                continue
            }
            #expect(parsed.specification.name == name, "\(example.line)")
        }
    }

    @Test func `every command has a line in this test, and a section in the page`() throws {
        let names = Set(Self.specifications.map(\.name))
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        #expect(names.symmetricDifference(Self.runs.keys).sorted() == [])
        #expect(names.symmetricDifference(JSONShapes.documented(in: page).keys).sorted() == [])
    }

    @Test(arguments: runs.keys.sorted())
    func `the JSON of a command is what the page says, no more and no less`(name: String) throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let documented = try #require(JSONShapes.documented(in: page)[name])
        let server = try StubServer { _ in StubServer.answer(200, "") }
        defer { server.stop() }

        let rig = try Self.filledRig()
        var shapes = JSONShapes()
        for line in Self.runs[name] ?? [] {
            var words = line.map {
                $0.replacingOccurrences(of: "FOLDER", with: rig.directory.path)
                    .replacingOccurrences(of: "URL", with: "http://127.0.0.1:\(server.port)/w")
            }
            if words[0].hasPrefix("QUEUE_PATH=") {
                rig.environment["QUEUE_PATH"] = String(words.removeFirst().dropFirst(11))
            }
            let outcome = rig.run(words + ["--json"])
            #expect(
                [ExitCode.ok, ExitCode.failed, ExitCode.notFound].contains(outcome.code),
                "\(words): \(outcome.error)")
            #expect(outcome.output.hasSuffix("\n") && !outcome.output.dropLast().contains("\n"))
            let isOfThisCommand = words.starts(with: name.split(separator: " ").map(String.init))
            if isOfThisCommand { shapes.add(try outcome.json()) }
        }
        Self.compare(documented, with: shapes, name)
    }

    private static func compare(
        _ documented: [String: Set<String>],
        with shapes: JSONShapes,
        _ name: String
    ) {
        for (path, kinds) in shapes.kinds {
            // An empty list is documented by what its elements would hold.
            let promises = documented.filter {
                JSONShapes.matches($0.key, path)
                    || (kinds.isEmpty && $0.key.hasPrefix(path + "."))
            }
            #expect(!promises.isEmpty, "\(name): `\(path)` is not on the page")
            let allowed = promises.values.reduce(into: Set<String>()) { $0.formUnion($1) }
            // A rate of 0 is a number too.
            let strange = kinds.filter {
                !allowed.contains($0) && !($0 == "integer" && allowed.contains("number"))
            }
            #expect(
                promises.isEmpty || strange.isEmpty,
                "\(name): `\(path)` is \(strange.sorted()), the page says \(allowed.sorted())")
        }
        for path in documented.keys where path != "(text)" {
            #expect(
                shapes.kinds.keys.contains { JSONShapes.matches(path, $0) },
                "\(name): `\(path)` is on the page and was not seen")
        }
    }

    /// A queue in which every kind of thing is there once.
    private static func filledRig() throws -> CommandRig {
        let rig = try CommandRig()
        try rig.bury()
        // Neither body nor answer is UTF-8.
        try rig.bury(.init(conversation: "1:2", body: [0xFF, 0xFE], answer: [0xC0]))
        try rig.buryUnparseable("no JSON")
        let message =
            #"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"#
            + #""messaging_product":"whatsapp","metadata":{"display_phone_number":"1","#
            + #""phone_number_id":"1"},"statuses":[{"id":"wamid.SHAPE","status":"sent","#
            + #""timestamp":"1795521000","recipient_id":"1","pricing":{"billable":true},"#
            + #""errors":[{"code":1}]},{"id":"wamid.PLAIN","status":"sent"}]},"#
            + #""field":"messages"}]}]}"#
        try rig.append(Array(message.utf8))
        try sealMissing(in: rig)
        try rig.bury(.init(conversation: "1:3", body: Array(#"{"id":"wamid.SHAPE"}"#.utf8)))
        try rig.deliver(.init(conversation: "1:4", body: Array(#"{"id":"wamid.SHAPE"}"#.utf8)))
        return rig
    }

    /// A batch that was shipped into a lake that has it no more.
    private static func sealMissing(in rig: CommandRig) throws {
        rig.environment["LAKE_URL"] = "file:" + rig.directory.file("lake")
        let last = try rig.session.log.lastID()
        let batch = SealedBatch(
            objectName: "statuses/dt=2026-11-24/hour=10/x.ndjson.gz",
            sha256: String(repeating: "0", count: 64), byteCount: 1, lineCount: 1, firstID: last,
            lastID: last, sealedAt: CommandRig.now)
        try rig.session.lake.seal(batch, foundCount: 1, doubleCount: 0)
        for sealed in try rig.session.lake.unshippedBatches() {
            try rig.session.lake.markShipped(sealed, at: CommandRig.now)
        }
    }

    /// The words of a command line; quotes hold one together.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for letter in line {
            if let open = quote {
                if letter == open { quote = nil } else { word.append(letter) }
            } else if letter == "'" || letter == "\"" {
                quote = letter
            } else if letter == " " {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(letter)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
