import Base
import Queue

/// pipelinectl: from the words of a command line to an exit status.
///
/// - A command looks at the queue or changes it through `Queue`, like every program; it never
///   migrates, and runs as the user who owns the queue's file.
/// - Each command is one file in Commands/, described by its ``CommandSpecification``: parser, help
///   and completions are made from that.
/// - Results go to standard output, in one of three forms: for a person on a terminal, exact and
///   separated by tabs in a pipe, and as JSON. Everything else goes to standard error.
///
///     arguments ──▶ parser ──▶ command ──▶ Queue, admin endpoints
///                                 └──▶ JSON, table, facts ──▶ console
struct Program {
    let environment: [String: String]
    let console: Console
    /// The time, passed in so that tests own it.
    var now: () -> Timestamp = Timestamp.now

    /// Runs one command line, without the program's own name.
    ///
    /// - Returns: one of ``ExitCode``.
    func run(_ arguments: [String]) -> Int32 {
        let code: Int32
        do throws(Failure) {
            code = try invoke(arguments)
        } catch {
            for line in error.lines { console.remark("pipelinectl: " + line) }
            return error.exitCode
        }
        guard console.isIntact else {
            console.remark("pipelinectl: not all of the output could be written")
            return ExitCode.failed
        }
        return code
    }

    private func invoke(_ arguments: [String]) throws(Failure) -> Int32 {
        let specifications = CommandList.all.map { $0.specification }
        let moment = now()
        let parser = ArgumentParser(commands: specifications, now: moment)
        let help = HelpText(commands: specifications)
        switch try Failure.usage({ () throws(UsageError) in try parser.parse(arguments) }) {
        case .overview:
            console.write(help.text(on: []))
            return ExitCode.usage
        case .help(let topic):
            console.write(help.text(on: topic))
            return ExitCode.ok
        case .run(let parsed):
            let context = Context(
                arguments: parsed, environment: environment, console: console, now: moment)
            return try command(parsed).run(in: context)
        }
    }

    private func command(_ parsed: ParsedArguments) -> any Command.Type {
        let found = CommandList.all.first { $0.specification.words == parsed.specification.words }
        guard let found else { preconditionFailure("a parsed command is in the list") }
        return found
    }
}
