import Base
import Foundation
import Glibc
import TestSupport
import Testing

/// The whole pipeline in a temporary directory, as an operator would run it.
///
/// Programs are started and killed one by one; whatever still runs goes with the installation.
final class Installation {
    static let secret = "a secret of the system tests"
    static let verifyToken = "token with spaces & signs"

    let directory: TemporaryDirectory
    let ingestPort = freePort()
    let receiver: PHPReceiver
    let lake: LakeFolder
    private(set) var environment: [String: String]
    private(set) var ingest: ChildProcess?
    private(set) var workers: ChildProcess?
    let ingestAdmin = freePort()
    let workersAdmin = freePort()

    /// Where PHP is from the next start of the workers on.
    func forward(to url: String) { environment["FORWARD_URL"] = url }

    /// Makes directories and settings; starts nothing.
    init(_ settings: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        receiver = try PHPReceiver(directory: directory.file("php"), secret: Self.secret)
        lake = LakeFolder(path: directory.file("lake"))
        environment = [
            "QUEUE_PATH": directory.file("queue/queue.db"),
            "WHATSAPP_APP_SECRET": Self.secret,
            "WHATSAPP_VERIFY_TOKEN": Self.verifyToken,
            "INGEST_LISTEN": "127.0.0.1:\(ingestPort)",
            "INGEST_ADMIN_LISTEN": "127.0.0.1:\(ingestAdmin)",
            "WORKERS_ADMIN_LISTEN": "127.0.0.1:\(workersAdmin)",
            "FORWARD_URL": receiver.url,
            "FORWARD_BACKOFF_MIN": "50ms",
            "FORWARD_BACKOFF_MAX": "300ms",
            "LAKE_URL": "file:" + directory.file("lake"),
            "LAKE_BATCH_AGE_MAX": "1s",
            "LOG_LEVEL": "info",
            "LOG_FORMAT": "text",
            "DISK_FREE_BYTES_MIN": "1MiB",
        ].merging(settings) { _, ours in ours }
    }

    var queuePath: String { environment["QUEUE_PATH"] ?? "" }

    /// Where the built programs are: beside the test bundle.
    static func binary(_ name: String) throws -> String {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        let path = folder.appendingPathComponent(name).path
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
        return path
    }

    func startAll() throws {
        try receiver.start()
        try startWorkers()
        try startIngest()
    }

    /// Starts ingest, and returns once it listens.
    func startIngest() throws {
        let started = try start("ingest")
        ingest = started
        try requireListening(started, on: ingestPort)
    }

    /// As ``startIngest()``, by a shell that sets what a process inherits: `script` ends in
    /// `exec "$INGEST"`.
    func startIngest(by script: String, listens: Bool = true) throws {
        var environment = environment
        environment["INGEST"] = try Self.binary("ingest")
        let started = try ChildProcess(
            "/bin/bash", ["-c", script], environment: environment,
            outputPath: directory.file("ingest.log"))
        ingest = started
        if listens { try requireListening(started, on: ingestPort) }
    }

    /// The status that ingest's admin endpoint answers with.
    func ingestHealth(_ path: String = "/healthz") throws -> Int {
        try BlockingHTTPClient(port: ingestAdmin).send("GET", path).status
    }

    /// One of ingest's metrics, all its labels together.
    func ingestMetric(_ name: String) throws -> Double {
        let answer = try BlockingHTTPClient(port: ingestAdmin).send("GET", "/metrics")
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        var sum = 0.0
        for line in lines where line.hasPrefix(name + " ") || line.hasPrefix(name + "{") {
            sum += line.split(separator: " ").last.flatMap { Double($0) } ?? 0
        }
        return sum
    }

    /// Starts workers, and returns once their admin endpoint listens.
    func startWorkers() throws {
        let started = try start("workers")
        workers = started
        try requireListening(started, on: workersAdmin)
    }

    func killIngest() {
        ingest?.kill()
        ingest = nil
    }

    func killWorkers() {
        workers?.kill()
        workers = nil
    }

    /// Stops both programs as systemd would; a program that fails to stop, or to stop well, fails
    /// the test.
    func stopPrograms() {
        for (name, program) in [("ingest", ingest), ("workers", workers)] {
            guard let program else { continue }
            let end = program.stop()
            #expect(end == .exited(status: 0), "\(name) ended badly:\n\(program.output)")
        }
        ingest = nil
        workers = nil
    }

    /// Starts a program of ours with this installation's settings; its output goes to NAME.log.
    func start(
        _ name: String,
        _ arguments: [String] = [],
        with settings: [String: String?] = [:]
    ) throws -> ChildProcess {
        var environment = environment
        for (key, value) in settings { environment[key] = value }
        return try ChildProcess(
            Self.binary(name), arguments, environment: environment,
            outputPath: directory.file("\(name).log"))
    }

    /// Runs pipelinectl to its end.
    func pipelinectl(_ arguments: String...) throws -> (status: Int32, output: String) {
        let output = directory.file("pipelinectl-\(UUID().uuidString).log")
        let program = try ChildProcess(
            Self.binary("pipelinectl"), arguments, environment: environment, outputPath: output)
        guard case .exited(let status) = program.waitForEnd() else { return (-1, program.output) }
        return (status, program.output)
    }

    /// What pipelinectl says with `--json`.
    func pipelinectlObject(_ arguments: String...) throws -> [String: Any] {
        let output = directory.file("pipelinectl-\(UUID().uuidString).log")
        let program = try ChildProcess(
            Self.binary("pipelinectl"), arguments + ["--json"], environment: environment,
            outputPath: output)
        let end = program.waitForEnd()
        try #require(end == .exited(status: 0), "pipelinectl \(arguments): \(program.output)")
        let object = try JSONSerialization.jsonObject(with: Data(program.output.utf8))
        return try #require(object as? [String: Any])
    }

    private func requireListening(_ program: ChildProcess, on port: UInt16) throws {
        waitUntil { program.poll() != nil || isListening(on: port) }
        try #require(program.poll() == nil, "it ended:\n\(program.output)")
        try #require(isListening(on: port), "it does not listen:\n\(program.output)")
    }
}
