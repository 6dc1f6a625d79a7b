import Base
import Glibc
import Queue

/// One command: what it is called and takes, and what it does.
protocol Command {
    static var specification: CommandSpecification { get }

    /// - Returns: ``ExitCode/ok``, or ``ExitCode/failed`` where the results say why.
    static func run(in context: Context) throws(Failure) -> Int32
}

/// Every command, in the order of the help.
enum CommandList {
    static var all: [any Command.Type] {
        [
            StatusCommand.self,
            TopCommand.self,
            DeadListCommand.self,
            DeadShowCommand.self,
            DeadReplayCommand.self,
            DeadDiscardCommand.self,
            DeadEditCommand.self,
            DeadExportCommand.self,
            DeadImportCommand.self,
            ReplayCommand.self,
            AuditCommand.self,
            SendCommand.self,
            LookupCommand.self,
            LakeDDLCommand.self,
            LakeVerifyCommand.self,
            CheckCommand.self,
            BackupCommand.self,
            RestoreCommand.self,
            VerifyCommand.self,
            SalvageCommand.self,
            EraseCommand.self,
            HelpCommand.self,
            CompletionsCommand.self,
            VersionCommand.self,
        ]
    }
}

/// What a command runs with.
struct Context {
    /// Where the Debian package keeps the settings.
    static let installedConfiguration = "/etc/whatsapp-pipeline/pipeline.env"

    let arguments: ParsedArguments
    let environment: [String: String]
    let console: Console
    /// When the command was started.
    let now: Timestamp

    var wantsJSON: Bool { arguments.has(.json) }

    /// The settings, from the environment and the file named by `--config`.
    ///
    /// On a machine where the package is installed its file is read without being named, unless the
    /// environment says which queue is meant.
    func configuration() throws(Failure) -> ConfigurationSource {
        do throws(ConfigurationError) {
            return try ConfigurationSource.load(
                file: arguments.text(.config) ?? installedFile, environment: environment)
        } catch {
            throw .configuration(error)
        }
    }

    private var installedFile: String? {
        guard environment[ConfigurationKey.queuePath.name] == nil,
            access(Self.installedConfiguration, F_OK) == 0
        else { return nil }
        return Self.installedConfiguration
    }

    /// Reads settings with `body`; throws all that is wrong with them together.
    func settings<Settings>(
        _ body: (inout ConfigurationReader) -> Settings
    ) throws(Failure) -> Settings {
        var reader = ConfigurationReader(try configuration())
        let settings = body(&reader)
        do throws(ConfigurationError) { try reader.finish() } catch { throw .configuration(error) }
        return settings
    }

    /// Who is at the keyboard, for the audit.
    var actor: Queue.Actor { Actor(systemUser: SystemUser.name(environment: environment)) }

    /// Opens the queue as its owner.
    func openQueue(_ location: QueueLocation) throws(Failure) -> QueueSession {
        do throws(SystemError) {
            try SystemUser.becomeOwner(of: location)
        } catch {
            throw .failed("\(error): pipelinectl could not become the user who owns the queue")
        }
        return try Failure.queue { () throws(QueueError) in
            let gate = try QueueSession.openGate(location, as: .tool)
            return try QueueSession.open(location, gate: gate, as: .tool)
        }
    }

    /// Opens the queue that the settings name.
    func openQueue() throws(Failure) -> QueueSession {
        try openQueue(QueueLocation(path: try settings { $0.string(.queuePath) }))
    }

    /// Writes one thing: as JSON, as words for a person, or as lines for a program.
    func write(_ value: JSONValue, facts: () -> Facts) {
        if wantsJSON { return console.write(value) }
        switch console.reader {
        case .person(let colour): console.write(facts().aligned(colour: colour))
        case .program: console.write(value.plainLines)
        }
    }

    /// Writes a list of things in one of the three forms.
    func write(_ table: Table, json: JSONValue) {
        if wantsJSON { console.write(json) } else { console.write(table) }
    }
}
