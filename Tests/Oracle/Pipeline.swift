import Base
import Foundation
import Glibc
import Queue
import TestSupport

/// The real programs on a machine with faults, in a directory of their own.
///
/// Used from one thread; its ``witness`` has one of its own.
public final class Pipeline {
    /// A program that can be killed.
    public enum Program: String, CaseIterable, Sendable {
        case ingest, workers
    }

    /// Why a run cannot go on.
    public struct Failure: Error, CustomStringConvertible {
        /// One sentence, with what the program said.
        public let description: String
    }

    /// Everything of the run stands below it.
    public let directory: TemporaryDirectory
    /// The disk and the clock.
    public let machine: Machine
    /// What was sent and what arrived.
    public let ledger = Ledger()
    /// In PHP's place.
    public let receiver: Receiver
    /// Where ingest listens.
    public let port = freePort()
    /// Looks at queue and lake while all goes on.
    public let witness: Witness
    private var running: [Program: ChildProcess] = [:]
    private let environment: [String: String]
    private let adminPorts = [Program.ingest: freePort(), .workers: freePort()]

    /// Makes directories and settings; starts nothing.
    public init(_ settings: [String: String] = [:], keepsJournals: Bool = true) throws {
        directory = try TemporaryDirectory()
        let root = directory.file("root")
        try DurableFile.makeDirectory(root)
        machine = try Machine(root: root, keepsJournals: keepsJournals)
        receiver = try Receiver(ledger: ledger)
        let location = QueueLocation(path: root + "/queue.db")
        self.location = location
        witness = Witness(
            location: location, lake: LakeReader(path: root + "/lake", ledger: ledger),
            ledger: ledger)
        environment = [
            "QUEUE_PATH": location.path,
            "WHATSAPP_APP_SECRET": LoadGenerator.secret, "WHATSAPP_VERIFY_TOKEN": "token",
            "INGEST_LISTEN": "127.0.0.1:\(port)",
            "INGEST_ADMIN_LISTEN": "127.0.0.1:\(adminPorts[.ingest] ?? 0)",
            "WORKERS_ADMIN_LISTEN": "127.0.0.1:\(adminPorts[.workers] ?? 0)",
            "FORWARD_URL": receiver.url, "FORWARD_TIMEOUT": "3s",
            "FORWARD_BACKOFF_MIN": "20ms", "FORWARD_BACKOFF_MAX": "200ms",
            "FORWARD_ATTEMPTS_MAX": "10000", "FORWARD_AGE_MAX": "30d",
            "LAKE_URL": "file:" + root + "/lake", "LAKE_BATCH_AGE_MAX": "300ms",
            // Small, so that checkpoints and purges are among what is interrupted.
            "WAL_BYTES_MAX": "1MiB", "RETAIN_DELIVERED": "2s", "DISK_FREE_BYTES_MIN": "1MiB",
            "GATE_WAIT_MAX": "500ms", "LOG_LEVEL": "notice", "LOG_FORMAT": "text",
        ].merging(machine.environment) { $1 }.merging(settings) { $1 }
    }

    /// The queue.
    public let location: QueueLocation
    /// The lake's directory.
    public var lakePath: String { machine.root + "/lake" }

    /// Where the built programs are: beside the test bundle.
    private static func binary(_ name: String) throws -> String {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: bundle).deletingLastPathComponent()
            .appendingPathComponent(name).path
        guard access(path, X_OK) == 0 else {
            throw Failure(description: "\(path) is not built: `swift build --build-tests`")
        }
        return path
    }

    // MARK: Programs

    /// Starts any program of ours; what it says goes to `NAME.log`.
    public func launch(
        _ name: String,
        _ arguments: [String] = [],
        with settings: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(
            Self.binary(name), arguments,
            environment: environment.merging(settings) { $1 },
            outputPath: directory.file(name + ".log"))
    }

    /// Starts those that do not run, and waits until they listen.
    public func startAll() throws {
        for program in [Program.workers, .ingest] where !isRunning(program) {
            let child = try launch(program.rawValue)
            running[program] = child
            let port = program == .ingest ? port : adminPorts[.workers] ?? 0
            waitUntil(within: .seconds(60)) { child.poll() != nil || isListening(on: port) }
            guard child.poll() == nil else {
                throw Failure(description: "\(program) does not start:\n\(tail(program))")
            }
        }
    }

    /// Whether it was started and has not ended.
    public func isRunning(_ program: Program) -> Bool {
        running[program].map { $0.poll() == nil } ?? false
    }

    /// SIGKILL, and gone when this returns.
    public func kill(_ program: Program) {
        running[program]?.kill()
        running[program] = nil
    }

    /// Sends a signal to a program that runs.
    public func signal(_ program: Program, _ number: Int32) { running[program]?.signal(number) }

    /// The process, where it runs.
    public func processID(_ program: Program) -> pid_t? { running[program]?.processID }

    /// How a program ended; `nil` while it runs.
    public func end(of program: Program) -> ChildProcess.End? { running[program]?.poll() }

    /// Stops both as systemd would.
    ///
    /// - Throws: ``Failure`` where one does not leave with status 0.
    public func stopAll() throws {
        for program in Program.allCases {
            guard let child = running.removeValue(forKey: program) else { continue }
            let end = child.stop()
            guard end == .exited(status: 0) else {
                throw Failure(
                    description: "\(program) ended badly (\(end as Any)):\n\(tail(program))")
            }
        }
    }

    /// The last lines that a program said.
    public func tail(_ program: Program) -> String {
        let path = directory.file(program.rawValue + ".log")
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    /// Kills everything, cuts the power, and looks whether all that was acknowledged is there.
    public func cutPower(seed: UInt64) throws {
        for program in Program.allCases { kill(program) }
        try witness.whileAway { _ = try machine.cutPower(seed: seed) }
        guard FileFacts.byteCount(location.path) > 0 else {
            if ledger.acknowledgementCount > 0 { ledger.violate("no queue after a power cut") }
            return
        }
        if witness.look() == nil, ledger.acknowledgementCount > 0 {
            ledger.violate("no books after a power cut")
        }
    }
}
