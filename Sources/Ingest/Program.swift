import Base
import Glibc
import Queue
import Synchronization
import WhatsApp

/// Reads the configuration, opens the queue, listens, serves, and stops.
enum Program {
    static let helpText = """
        ingest - takes WhatsApp's webhooks, stores them, and answers 200

        usage: ingest [--config FILE]

          --config FILE     settings as KEY=VALUE lines; the environment wins over them
          --help            this text
          --version         the version

        Settings are listed in docs/CONFIGURATION.md. WHATSAPP_APP_SECRET and
        WHATSAPP_VERIFY_TOKEN are required.

        examples:
          ingest --config /etc/whatsapp-pipeline/pipeline.env
          WHATSAPP_APP_SECRET=... WHATSAPP_VERIFY_TOKEN=... ingest

        """

    /// Runs `ingest`.
    ///
    /// Blocks until a signal has come and open connections were answered.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: the process's own.
    /// - Returns: the exit code.
    static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        switch arguments {
        case ["--help"], ["-h"]:
            return say(helpText, to: STDOUT_FILENO, ExitCode.ok)
        case ["--version"]:
            return say("ingest \(Release.version)\n", to: STDOUT_FILENO, ExitCode.ok)
        case []:
            return run(file: nil, environment: environment)
        default:
            guard arguments.count == 2, arguments[0] == "--config" else {
                let text = "ingest: unknown arguments; see ingest --help\n"
                return say(text, to: STDERR_FILENO, ExitCode.usage)
            }
            return run(file: arguments[1], environment: environment)
        }
    }

    private static func say(_ text: String, to descriptor: Int32, _ code: Int32) -> Int32 {
        let bytes = Array(text.utf8)
        _ = write(descriptor, bytes, bytes.count)
        return code
    }

    private static func run(file: String?, environment: [String: String]) -> Int32 {
        let configuration: IngestConfiguration
        do throws(ConfigurationError) {
            let source = try ConfigurationSource.load(file: file, environment: environment)
            configuration = try IngestConfiguration(source)
        } catch {
            return say("\(error)\n", to: STDERR_FILENO, ExitCode.configuration)
        }
        let log = Log(
            program: "ingest", level: configuration.logLevel, format: configuration.logFormat)
        do throws(StartError) {
            return try serve(configuration, environment: environment, log: log)
        } catch {
            log.error("cannot start", ["reason": .describing(error)])
            return ExitCode.failed
        }
    }

    /// The start order; the stop order is its reverse.
    private static func serve(
        _ configuration: IngestConfiguration,
        environment: [String: String],
        log: Log
    ) throws(StartError) -> Int32 {
        let signals = try StartError.system { () throws(SystemError) in try SignalWatcher() }
        let supervisor = Supervisor(environment: environment)
        let registry = MetricsRegistry()
        let store = try StartError.queue { () throws(QueueError) in
            try Store(configuration, metrics: registry, log: log)
        }
        let readiness = Readiness()
        ProcessMetrics.register(
            in: registry, program: "ingest",
            libraries: ["sqlite": SQLiteLibrary.version.description],
            readiness: { readiness.trouble })
        let admin = try StartError.system { () throws(SystemError) in
            try AdminEndpoint(
                address: configuration.adminListen, metrics: registry,
                readiness: { readiness.trouble })
        }
        let loop = try StartError.system { () throws(SystemError) in
            try makeLoop(
                configuration, environment: environment, signals: signals,
                supervisor: supervisor,
                sink: store.sink(readiness), registry: registry, log: log)
        }
        admin.start()
        log.notice(
            "started",
            [
                "version": .string(Release.version),
                "listen": .string(configuration.listen.description),
                "path": .string(configuration.path),
                "queue": .string(configuration.location.path),
                "admin": .string(configuration.adminListen.description),
                "secrets": .string(configuration.secrets.map(\.fingerprint).joined(separator: ",")),
            ])
        log.notice(
            "settings", fields: configuration.effective.map { ($0.key, .string($0.value)) })
        supervisor.ready()
        try StartError.system { () throws(SystemError) in try loop.run() }
        supervisor.stopping()
        admin.stop()
        return finish(loop, store, log)
    }

    private static func makeLoop(
        _ configuration: IngestConfiguration,
        environment: [String: String],
        signals: SignalWatcher,
        supervisor: Supervisor,
        sink: WebhookSink,
        registry: MetricsRegistry,
        log: Log
    ) throws(SystemError) -> ServerLoop {
        let setUp = ServerSetUp(
            limits: configuration.limits,
            requestLimits: configuration.requestLimits,
            path: configuration.path,
            verifyToken: configuration.verifyToken,
            secrets: configuration.secrets,
            proxies: configuration.proxies,
            listener: try Listener(configuration.listen, environment: environment),
            supervisor: supervisor)
        return try ServerLoop(
            setUp, sink: sink, stops: StopSignals(signals),
            metrics: ServerMetrics(registry, secrets: configuration.secrets), log: log)
    }

    private static func finish(_ loop: ServerLoop, _ store: Store, _ log: Log) -> Int32 {
        if let failure = loop.failure {
            log.error(
                "stopped: what was not confirmed was not acknowledged",
                ["reason": .describing(failure)])
            return ExitCode.failed
        }
        do throws(QueueError) {
            try store.close()
        } catch {
            log.warning("the last checkpoint failed", ["reason": .describing(error)])
        }
        log.notice("stopped")
        return ExitCode.ok
    }
}

/// Why the program cannot start; one line.
enum StartError: Error, CustomStringConvertible {
    case system(SystemError)
    case queue(QueueError)

    var description: String {
        switch self {
        case .system(let error):
            error.code == EADDRINUSE
                ? "\(error): another program listens there; stop it or change the address"
                : error.description
        case .queue(let error): error.description
        }
    }

    static func system<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(StartError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .system(error) }
    }

    static func queue<Value>(
        _ body: () throws(QueueError) -> Value
    ) throws(StartError) -> Value {
        do throws(QueueError) { return try body() } catch { throw .queue(error) }
    }
}

/// What `/readyz` says; written by the loop, read by the admin endpoint.
final class Readiness: Sendable {
    private let refusal = Mutex<Refusal?>(nil)

    func set(_ refusal: Refusal?) { self.refusal.withLock { $0 = refusal } }

    /// Why no webhook is taken, or nil.
    var trouble: String? {
        refusal.withLock { refusal in
            refusal.map { "webhooks are answered 503: \($0.label)" }
        }
    }
}
