import Base
import Foundation

/// The command `lake ddl`.
enum LakeDDLCommand: Command {
    private static let engine = Flag(
        "engine", .choice(LakeTables.Engine.allCases.map(\.rawValue)),
        help: "who reads it (duckdb for a directory, else athena)")
    private static let location = Flag(
        "location", .text("URL"),
        help: "what statuses/ stands in, a directory or s3://BUCKET/PREFIX (LAKE_URL unless told)")
    private static let only = Flag(
        "only", .choice(LakeTables.names), help: "one of the statements, without its semicolon")

    static let specification = CommandSpecification(
        words: ["lake", "ddl"],
        summary: "the lake as tables of a query engine: SQL to run there",
        flags: [engine, location, only],
        details: [
            "status_raw has a row for each line; status_line the same with times and errors in "
                + "columns of their own; status each status once, however often it stands in the "
                + "lake; message a row for each message with how far it got. docs/LAKE.md says "
                + "more, and lake/queries has reports that are ready.",
            "Nothing is run and nothing is changed. Athena takes one statement at a time: --only.",
        ],
        examples: [
            .init(line: "lake ddl > tables.sql", meaning: "for the lake of this installation"),
            .init(
                line: "lake ddl --location s3://bucket/whatsapp --only status_raw",
                meaning: "one statement, for `aws athena start-query-execution`"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let arguments = context.arguments
        let place = try chosenPlace(context)
        let engine =
            arguments.text(engine).flatMap(LakeTables.Engine.init(rawValue:))
            ?? (place.hasPrefix("s3://") ? .athena : .duckdb)
        let tables: LakeTables
        do throws(LakeTables.Refusal) {
            tables = try LakeTables(engine, at: place)
        } catch {
            throw .usage(arguments.mistake(message(error, place)))
        }
        let name = arguments.text(only)
        let statements = tables.statements.filter { name == nil || $0.name == name }
        if context.wantsJSON {
            context.console.write([
                "engine": .string(tables.engine.rawValue),
                "location": .string(tables.location),
                "items": .array(
                    statements.map { ["id": .string($0.name), "sql": .string($0.sql)] }),
            ])
        } else {
            context.console.write(name == nil ? tables.text : statements[0].sql + "\n")
        }
        return ExitCode.ok
    }

    private static func chosenPlace(_ context: Context) throws(Failure) -> String {
        if let told = context.arguments.text(location) { return told }
        let url = try context.settings { $0.string(.lakeURL) }
        if let directory = LakeCheck.directory(of: url) {
            // Whoever runs the SQL does so from another directory.
            return directory.hasPrefix("/")
                ? directory : FileManager.default.currentDirectoryPath + "/" + directory
        }
        guard url.hasPrefix("s3://") else {
            throw .usage(
                context.arguments.mistake(
                    "LAKE_URL is \(url): --location must say where in S3 its objects end up"))
        }
        return url
    }

    private static func message(_ refusal: LakeTables.Refusal, _ place: String) -> String {
        switch refusal {
        case .notS3: "Athena reads S3 only: --location s3://BUCKET/PREFIX, not \"\(place)\""
        case .unsafeCharacters:
            "the location \"\(place)\" has characters that mean something in a pattern or in SQL"
        }
    }
}
