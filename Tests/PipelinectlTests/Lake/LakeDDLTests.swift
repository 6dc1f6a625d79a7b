import Base
import Foundation
import TestSupport
import Testing

@testable import pipelinectl

@Suite struct LakeDDLTests {
    private func run(_ arguments: String..., lake: String = "s3://bucket/a/b/")
        -> CommandRig.Outcome
    {
        CommandRig.run(["lake", "ddl"] + arguments, environment: ["LAKE_URL": lake])
    }

    @Test func `a lake in S3 becomes tables of Athena, with its partitions computed`() {
        let text = run().output
        #expect(text.contains("'org.openx.data.jsonserde.JsonSerDe'"))
        #expect(text.contains("location 's3://bucket/a/b/statuses/'\n"))
        #expect(
            text.contains(
                "'storage.location.template' = 's3://bucket/a/b/statuses/dt=${dt}/hour=${hour}/'"))
        #expect(!text.contains("{{"))
    }

    @Test func `a directory becomes tables of DuckDB, by its whole path`() {
        #expect(run(lake: "file:///var/lake").output.contains("'/var/lake/statuses/dt=*/hour=*/"))
        let here = FileManager.default.currentDirectoryPath
        #expect(run(lake: "file:var/lake").output.contains("'\(here)/var/lake/statuses/"))
        #expect(run("--engine", "duckdb").output.contains("'s3://bucket/a/b/statuses/dt=*"))
    }

    @Test func `one statement can be had alone, and all of them as JSON`() throws {
        let alone = run("--only", "message").output
        #expect(alone.contains("create or replace view message as"))
        #expect(!alone.contains(";"))
        #expect(!alone.contains("view status as"))
        let json = try run("--json").json()
        #expect(json["engine"] as? String == "athena")
        #expect(json["location"] as? String == "s3://bucket/a/b")
        let items = try #require(json["items"] as? [[String: Any]])
        #expect(items.map { $0["id"] as? String } == LakeTables.names)
    }

    @Test(arguments: LakeTables.Engine.allCases)
    func `each statement makes what it is named after`(engine: LakeTables.Engine) throws {
        let tables = try LakeTables(engine, at: "s3://bucket")
        for statement in tables.statements {
            let made = statement.sql.split(separator: "\n").first { $0.hasPrefix("create ") }
            let words = try #require(made).split(separator: " ").map(String.init)
            #expect(words.contains(statement.name))
        }
        #expect(tables.statements.map { $0.sql + ";\n" }.joined(separator: "\n") == tables.text)
    }

    @Test(arguments: [
        ["--location", "s3://b/it's"], ["--location", "s3://b/*"], ["--location", "s3://b/a\nb"],
        ["--engine", "athena", "--location", "/var/lake"],
        ["--engine", "athena", "--location", "s3://"],
        ["--engine", "presto"], ["--only", "nothing"], ["--location", "/a[b]"],
        ["--location", "s3://b/${dt}"],
    ])
    func `what neither engine could use is a mistake`(arguments: [String]) {
        let outcome = CommandRig.run(
            ["lake", "ddl"] + arguments, environment: ["LAKE_URL": "s3://bucket"])
        #expect(outcome.code == ExitCode.usage)
        #expect(outcome.output.isEmpty)
    }

    @Test func `Firehose does not say where its objects end up`() {
        let outcome = run(lake: "firehose://stream")
        #expect(outcome.code == ExitCode.usage)
        #expect(outcome.error.contains("--location"))
        #expect(run("--location", "s3://b", lake: "firehose://stream").code == ExitCode.ok)
    }

    // MARK: What docs/LAKE.md says

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func page() throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent("docs/LAKE.md"), encoding: .utf8)
    }

    @Test func `the page names every ready query, and every column of a line`() throws {
        let page = try page()
        let folder = Self.root.appendingPathComponent("lake/queries").path
        let queries = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(queries.count == 6)
        for query in queries { #expect(page.contains("(../lake/queries/\(query))"), "\(query)") }

        let table = try LakeTables(.duckdb, at: "/lake").statements[0].sql
        let columns = table.split(separator: "\n").filter { $0.hasPrefix("    '") }
            .compactMap { $0.split(separator: "'").dropFirst().first.map(String.init) }
        #expect(columns.count == 23)
        for column in columns { #expect(page.contains("| `\(column)` |"), "\(column)") }
    }
}
