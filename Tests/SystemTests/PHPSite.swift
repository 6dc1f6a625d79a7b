import Foundation
import Glibc
import TestSupport
import Testing

/// One of the receivers in examples/php, on a server as a PHP team has it, with its own database.
///
/// The CodeIgniter examples run under stand-ins of the framework: Tests/Fixtures/php says what
/// those keep of it.
final class PHPSite {
    enum Application: String, CaseIterable, Sendable {
        case plain, codeIgniter3, codeIgniter4
    }

    enum Server: String, CaseIterable, Sendable {
        /// `php -S`.
        case builtIn
        /// php-fpm behind nginx.
        case fpm
    }

    let application: Application
    let server: Server
    let port = freePort()
    private let temporary: TemporaryDirectory
    private let directory: String
    private var environment: [String: String]
    private var processes: [ChildProcess] = []

    /// Requests that php-fpm works on at once; `php -S` takes one after the other.
    static let childCount = 4

    /// Makes the example's tables; starts nothing.
    ///
    /// `settings` is the environment of PHP besides what the examples need.
    init(
        _ application: Application,
        on server: Server,
        settings: [String: String] = [:]
    ) throws {
        self.application = application
        self.server = server
        temporary = try TemporaryDirectory()
        directory = temporary.path
        environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "WHATSAPP_APP_SECRET": Installation.secret,
            "WHATSAPP_VERIFY_TOKEN": Installation.verifyToken,
            "RECEIVER_DATABASE": directory + "/received.db",
        ].merging(settings) { _, ours in ours }
        if environment["APPLICATION_DIRECTORY"] == nil {
            environment["APPLICATION_DIRECTORY"] = application.folder
        }
        try makeTables()
    }

    // By SIGTERM: the children of a master that is killed outright live on.
    deinit { stop() }

    var url: String { "http://127.0.0.1:\(port)/webhook" }

    func start(phpSettings: [String] = []) throws {
        switch server {
        case .builtIn: try startBuiltIn(phpSettings)
        case .fpm: try startFPM(phpSettings)
        }
        waitUntil { processes.contains { $0.poll() != nil } || isListening(on: port) }
        for process in processes {
            try #require(process.poll() == nil, "it ended:\n\(process.output)")
        }
        try #require(isListening(on: port))
    }

    func stop() {
        for process in processes.reversed() { process.stop() }
        processes = []
    }

    /// What its database answers, every value a text, a number or null.
    func rows(_ query: String) throws -> [[String: Any]] {
        let output = try php([Fixture.folder.path + "/php/rows.php", database, query])
        let rows = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(rows as? [[String: Any]])
    }

    /// Requests that nginx has answered.
    var requestCount: Int {
        let pool = FPMPool(directory: directory, script: application.script, port: port)
        let log = try? String(contentsOfFile: pool.accessLog, encoding: .utf8)
        return log?.split(separator: "\n").count ?? 0
    }

    /// Changes something in its database.
    func execute(_ statement: String) throws { _ = try rows(statement) }

    private var database: String { environment["RECEIVER_DATABASE"] ?? "" }

    private func makeTables() throws {
        let fixtures = Fixture.folder.path + "/php/"
        switch application {
        case .plain:
            // It makes its tables itself, on the first request; before it a query needs them too.
            let code =
                "$_SERVER['REQUEST_METHOD'] = 'GET'; require $argv[1]; open_database($argv[2]);"
            _ = try php(["-r", code, application.script, database])
        case .codeIgniter3:
            _ = try php(
                [
                    fixtures + "codeigniter3/migrate.php", database,
                    application.folder + "/../schema.sql",
                ])
        case .codeIgniter4:
            _ = try php([fixtures + "codeigniter4/migrate.php", database, application.folder])
        }
    }

    private func php(_ arguments: [String]) throws -> String {
        let output = directory + "/php-\(UUID().uuidString).log"
        let process = try ChildProcess(
            "/usr/bin/env", ["php"] + arguments, environment: environment, outputPath: output)
        let end = process.waitForEnd()
        try #require(end == .exited(status: 0), "\(arguments): \(process.output)")
        return process.output
    }

    private func startBuiltIn(_ settings: [String]) throws {
        let flags = settings.flatMap { ["-d", $0] }
        processes.append(
            try ChildProcess(
                "/usr/bin/env",
                ["php", "-d", "display_errors=0"] + flags
                    + ["-S", "127.0.0.1:\(port)", application.script],
                environment: environment, outputPath: directory + "/php.log"))
    }

    private func startFPM(_ settings: [String]) throws {
        let pool = FPMPool(directory: directory, script: application.script, port: port)
        try pool.writeConfiguration()
        let flags = (["display_errors=0"] + settings).flatMap { ["-d", $0] }
        processes.append(
            try ChildProcess(
                try FPMPool.binary(),
                ["--nodaemonize", "--fpm-config", pool.fpmConfiguration]
                    + (geteuid() == 0 ? ["--allow-to-run-as-root"] : []) + flags,
                environment: environment, outputPath: directory + "/fpm.log"))
        waitUntil {
            processes[0].poll() != nil || FileManager.default.fileExists(atPath: pool.socket)
        }
        processes.append(
            try ChildProcess(
                "/usr/sbin/nginx",
                ["-c", pool.nginxConfiguration, "-e", directory + "/nginx-error.log"],
                environment: environment, outputPath: directory + "/nginx.log"))
    }
}

extension PHPSite.Application {
    private static let examples = Fixture.folder
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("examples/php").path

    /// What answers every request.
    var script: String {
        switch self {
        case .plain: Self.examples + "/receiver.php"
        case .codeIgniter3: Fixture.folder.path + "/php/codeigniter3/index.php"
        case .codeIgniter4: Fixture.folder.path + "/php/codeigniter4/index.php"
        }
    }

    /// The application's own code.
    var folder: String {
        switch self {
        case .plain: Self.examples
        case .codeIgniter3: Self.examples + "/codeigniter3/application"
        case .codeIgniter4: Self.examples + "/codeigniter4/app"
        }
    }

    /// The table of what came.
    var eventTable: String { self == .plain ? "event" : "webhook_event" }
    /// The table of delivery ids.
    var deliveryTable: String { self == .plain ? "delivery" : "webhook_delivery" }
}
