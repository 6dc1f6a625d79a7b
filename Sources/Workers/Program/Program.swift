import Base
import Dispatch
import Foundation
import Glibc
import Queue

/// Starts the pools, waits for a signal, and stops them in the reverse order.
enum Program {
    /// Runs `workers`.
    ///
    /// Blocks until a signal has come and everything has stopped.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: the process's own.
    /// - Returns: the exit code.
    static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        switch ProgramArguments(arguments) {
        case .help:
            write(ProgramArguments.helpText, to: STDOUT_FILENO)
            return ExitCode.ok
        case .version:
            write("workers \(Release.version)\n", to: STDOUT_FILENO)
            return ExitCode.ok
        case .mistake(let text):
            write("workers: \(text); see workers --help\n", to: STDERR_FILENO)
            return ExitCode.usage
        case .run(let pools, let file):
            return run(pools, file: file, environment: environment)
        }
    }

    private static func run(
        _ pools: ProgramArguments.Pools,
        file: String?,
        environment: [String: String]
    ) -> Int32 {
        let configuration: WorkersConfiguration
        do throws(ConfigurationError) {
            configuration = try WorkersConfiguration(
                try ConfigurationSource.load(file: file, environment: environment), pools: pools)
        } catch {
            write("\(error)\n", to: STDERR_FILENO)
            return ExitCode.configuration
        }
        let log = Log(
            program: "workers", level: configuration.logLevel, format: configuration.logFormat)
        // Before there is another thread: the environment has no lock.
        if let forward = configuration.forward {
            for destination in [forward.defaultDestination] + forward.routedDestinations {
                if let address = WebAddress(destination.url) {
                    ProxyExemption.add(host: address.host)
                }
            }
        }
        for host in configuration.lake?.aws?.directHosts ?? [] { ProxyExemption.add(host: host) }
        do throws(ProgramError) {
            let signals = try ProgramError.system { () throws(SystemError) in
                try SignalWatcher()
            }
            let running = try Running(configuration, log: log)
            running.start()
            let supervisor = Supervisor(environment: environment)
            supervisor.ready()
            log.notice(
                "started",
                [
                    "version": .string(Release.version),
                    "pools": .string(pools.rawValue),
                    "queue": .string(configuration.location.path),
                    "admin": .string(configuration.adminListen.description),
                ])
            log.notice(
                "settings", fields: configuration.effective.map { ($0.key, .string($0.value)) })
            let code = running.waitForEnd(signals: signals, supervisor: supervisor)
            supervisor.stopping()
            running.stop()
            log.notice("stopped")
            return code
        } catch {
            log.error("cannot start", ["reason": .describing(error)])
            return ExitCode.failed
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        }
    }
}

/// Why the program cannot start; one line.
enum ProgramError: Error, CustomStringConvertible {
    case system(SystemError)
    case queue(QueueError)
    case lake(LakePoolError)
    case forward(PoolError)

    var description: String {
        switch self {
        case .system(let error): error.description
        case .queue(let error): error.description
        case .lake(let error): error.description
        case .forward(let error): error.description
        }
    }

    static func system<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(ProgramError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .system(error) }
    }

    static func queue<Value>(
        _ body: () throws(QueueError) -> Value
    ) throws(ProgramError) -> Value {
        do throws(QueueError) { return try body() } catch { throw .queue(error) }
    }

    static func lake<Value>(
        _ body: () throws(LakePoolError) -> Value
    ) throws(ProgramError) -> Value {
        do throws(LakePoolError) { return try body() } catch { throw .lake(error) }
    }

    static func forward<Value>(
        _ body: () throws(PoolError) -> Value
    ) throws(ProgramError) -> Value {
        do throws(PoolError) { return try body() } catch { throw .forward(error) }
    }
}
