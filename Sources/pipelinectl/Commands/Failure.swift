import Base
import Queue

/// Why a command did not do what it was asked for.
enum Failure: Error {
    /// The command line was not understood.
    case usage(UsageError)
    /// The configuration has problems.
    case configuration(ConfigurationError)
    /// The queue could not be read or changed.
    case queue(QueueError)
    /// What was asked for does not exist.
    case notFound(String)
    /// Anything else; says what to do.
    case failed(String)

    /// The status that the process leaves with.
    var exitCode: Int32 {
        switch self {
        case .usage: ExitCode.usage
        case .configuration: ExitCode.configuration
        case .queue, .failed: ExitCode.failed
        case .notFound: ExitCode.notFound
        }
    }

    /// What to say about it, without line breaks.
    var lines: [String] {
        switch self {
        case .usage(let error): [error.message, error.hint]
        case .configuration(let error): error.problems.map { "configuration: \($0)" }
        case .queue(let error): [error.description]
        case .notFound(let message), .failed(let message): [message]
        }
    }

    static func usage<Result>(
        _ body: () throws(UsageError) -> Result
    ) throws(Failure) -> Result {
        do throws(UsageError) { return try body() } catch { throw .usage(error) }
    }

    static func queue<Result>(
        _ body: () throws(QueueError) -> Result
    ) throws(Failure) -> Result {
        do throws(QueueError) { return try body() } catch { throw .queue(error) }
    }

    static func system<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(Failure) -> Result {
        do throws(SystemError) { return try body() } catch { throw .failed("\(error)") }
    }
}
