import Testing

/// A text that a rule must find fault with, and one much like it that it must let pass.
struct Sample: Sendable, CustomStringConvertible {
    let rule: Rule
    let path: String
    let bad: String
    let good: String

    var description: String { rule.name }

    static let all: [Sample] = sizes + walls + gates + words

    private static let ingest = "Sources/Ingest/Server/A.swift"
    private static let queue = "Sources/Queue/A.swift"

    private static let sizes = [
        Sample(
            rule: .fileLength, path: queue,
            bad: String(repeating: "//\n", count: 401),
            good: String(repeating: "//\n", count: 400)),
        Sample(
            rule: .lineLength, path: queue,
            bad: String(repeating: "é", count: 101), good: String(repeating: "é", count: 100)),
        Sample(
            rule: .functionLength, path: queue,
            bad: "func a(b: () -> Int = { 1 }) {\n" + String(repeating: "a()\n", count: 59) + "}\n",
            good: "func a() {\n" + String(repeating: "\"}\"\n", count: 58) + "}\n"),
        Sample(
            rule: .functionLength, path: queue,
            bad: "init?() {\n" + String(repeating: "// }\n", count: 60) + "}\n",
            good: "protocol P {\n func a()\n}\nstruct S {\n" + String(repeating: "\n", count: 70)
                + "}"),
    ]

    private static let walls = [
        Sample(rule: .importArrows, path: queue, bad: "import WhatsApp", good: "import Base"),
        Sample(
            rule: .importArrows, path: "Sources/WhatsApp/A.swift",
            bad: "@preconcurrency public import CSQLite", good: "import CCrypto // import CSQLite"),
        Sample(rule: .importArrows, path: ingest, bad: "import Workers", good: "import Queue"),
        Sample(
            rule: .importArrows, path: "Sources/Base/A.swift", bad: "import struct Queue.Gate",
            good: "import Glibc"),
        Sample(
            rule: .importArrows, path: "Sources/Workers/Forward/A.swift",
            bad: "import FoundationNetworking", good: "import Foundation"),
        Sample(
            rule: .purePartsOfIngest, path: "Sources/Ingest/HTTP/A.swift", bad: "import Glibc",
            good: "import Base"),
        Sample(
            rule: .ingestReadsNoBodies, path: ingest, bad: "let a = JSONDecoder()",
            good: "// JSONDecoder() would be wrong here"),
        Sample(
            rule: .ingestReadsNoBodies, path: ingest, bad: "connect(a, b, c)", good: "disconnect(a)"
        ),
        Sample(
            rule: .queueKnowsNoFormats, path: queue, bad: "let a: URLRequest",
            good: "let curl = 1"),
        Sample(
            rule: .sqlInOnePlace, path: ingest, bad: "let a = \"select a from b where c\"",
            good: "let a = select(\"one\", from: b)"),
        Sample(
            rule: .sqlInOnePlace, path: ingest, bad: "let a = \"\"\"\n  delete from a\n\"\"\"",
            good: "// delete from a"),
        Sample(
            rule: .noPackages, path: "Package.swift", bad: ".package(url: \"\")",
            good: "// no .package( here"),
        Sample(
            rule: .threadsNotTasks, path: ingest, bad: "Task { a() }", good: "queue.async { a() }"),
        Sample(
            rule: .threadsNotTasks, path: queue, bad: "func a() async {}",
            good: "let asynchronous = 1"),
    ]

    private static let gates = [
        Sample(
            rule: .commitsInsideGate, path: queue, bad: "let a: SQL = \"begin immediate\"",
            good: "let a = \"begin with the first\"; let b: SQL = \"vacuum into ?1\""),
        Sample(
            rule: .commitsInsideGate, path: queue, bad: "run(\"pragma wal_checkpoint(PASSIVE)\")",
            good: "// pragma wal_checkpoint"),
        Sample(
            rule: .commitsInsideGate, path: queue, bad: "let a: SQL = \"\"\"\n  commit\n\"\"\"",
            good: "let a = \"a commit that failed\""),
        Sample(
            rule: .gateOnlyForHolders, path: queue, bad: "try connection.writeHoldingGate { }",
            good: "try connection.write { }"),
        Sample(
            rule: .sqliteInOnePlace, path: queue, bad: "sqlite3_exec(a, b, nil, nil, nil)",
            good: "sqlite3_errmsg(handle)"),
    ]

    private static let words = [
        Sample(rule: .forcedTry, path: queue, bad: "tr" + "y! a()", good: "try? a()"),
        Sample(rule: .forcedCast, path: queue, bad: "a as! B", good: "a as? B"),
        Sample(
            rule: .silentTrap, path: queue, bad: "fatalError( )",
            good: "fatalError(\"the disk lies\")"),
        Sample(rule: .printing, path: queue, bad: "print(1)", good: "page.print(1)"),
        Sample(
            rule: .printing, path: "Sources/Base/A.swift", bad: "print(\"a\")",
            good: "let a = \"print(1)\""),
        Sample(rule: .sleeping, path: "Tests/A/A.swift", bad: "usl" + "eep(1)", good: "asleep(1)"),
        Sample(rule: .sleeping, path: queue, bad: "Thread.sl" + "eep(1)", good: "// sleep (1)"),
        Sample(rule: .leftOpen, path: queue, bad: "// TO" + "DO: later", good: "// mastodon"),
        Sample(
            rule: .machinePath, path: "docs/A.md", bad: "see /wo" + "rk/a", good: "see /workers/a"),
        Sample(
            rule: .otherWords, path: queue, bad: "struct QueueManager {}",
            good: "struct Itemised {}"),
        Sample(
            rule: .otherWords, path: queue, bad: "final class JobList {}", good: "struct Jobless {}"
        ),
        Sample(
            rule: .documentedQueue, path: queue, bad: "}\n@frozen\npublic struct A {}",
            good: "/// An a.\n@frozen\npublic struct A {}"),
    ]
}

@Suite struct RuleTests {
    @Test(arguments: Sample.all)
    func `a rule fires on what it bans and on nothing else`(sample: Sample) {
        let bad = SourceFile(path: sample.path, text: sample.bad)
        let good = SourceFile(path: sample.path, text: sample.good)
        #expect(sample.rule.findings(bad).count == 1)
        #expect(sample.rule.findings(good) == [])
    }

    @Test func `every rule has a sample`() {
        let sampled = Set(Sample.all.map(\.rule.name))
        #expect(Rule.all.filter { !sampled.contains($0.name) }.map(\.name) == [])
        #expect(Set(Rule.all.map(\.name)).count == Rule.all.count)
    }

    @Test func `a finding names the line`() {
        let file = SourceFile(
            path: "Sources/Queue/A.swift", text: "// a\n\"\"\"\n\n\"\"\"\nprint(1)\n")
        #expect(Rule.printing.findings(file).map(\.line) == [5])
    }

    @Test func `code in an interpolation is code, text around it is not`() {
        let text = SwiftText(#"let a = "print(1) \(print("b")) c" /* print( /* */ */ + "d""#)
        #expect(matches(of: "print\\(", in: text.codeText).count == 1)
        #expect(text.literals.map(\.text) == ["b", "print(1)  c", "d"])
    }

    @Test func `raw strings end where their pounds say`() {
        let text = SwiftText(##"let a = #"x " \(y) \#(z) "#; b"##)
        #expect(text.codeText.contains("z"))
        #expect(!text.codeText.contains("y"))
        #expect(text.codeText.hasSuffix("; b"))
    }

    @Test func `documents are compared by name`() {
        let code = SourceFile(
            path: "Sources/Base/A.swift",
            text: "ConfigurationKey(\n  name: \"A_KEY\")\nConfigurationKey(\"B_KEY\")")
        let page = SourceFile(path: "docs/A.md", text: "| `A_KEY` / `C_KEY` | `D_KEY` |\n`E_KEY`\n")
        #expect(Documents.declaredKeys(in: [code]) == ["A_KEY", "B_KEY"])
        #expect(Documents.tabledNames(in: page, "[A-Z_]+") == ["A_KEY", "C_KEY"])
        let metric = SourceFile(
            path: "Sources/Ingest/A.swift",
            text: "metrics.counter(\n \"ingest_a_total\", help: \"\")")
        #expect(Documents.registeredMetrics(in: [metric]) == ["ingest_a_total"])
        let queue = SourceFile(
            path: "Sources/Queue/A.swift", text: "[PackageResources._001_a_sql]")
        #expect(Documents.embeddedMigrations(in: [queue]) == ["_001_a"])
        #expect(Documents.embeddedName(of: "0001_a.sql") == "_001_a")
    }
}
