import Base
import Queue

/// The command `version`.
enum VersionCommand: Command {
    static let specification = CommandSpecification(
        words: ["version"],
        summary: "versions of this program, of the schema it knows, and of SQLite",
        examples: [.init(line: "version --json", meaning: "the same for a script")]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let sqlite = SQLiteLibrary.version
        let json: JSONValue = [
            "program": "pipelinectl",
            "version": .string(Release.version),
            "schema_version": .int(QueueSession.newestSchemaVersion),
            "sqlite_version": .string(sqlite.description),
        ]
        context.write(json) {
            var facts = Facts()
            facts.add("pipelinectl", Release.version)
            facts.add("schema", "\(QueueSession.newestSchemaVersion)")
            facts.add("SQLite", sqlite.description)
            return facts
        }
        return ExitCode.ok
    }
}
