import Base
import Glibc
import Synchronization

/// A program that a test started; killed, if it still runs, when the test lets go of it.
///
/// Standard output and standard error go to one file, which `output` reads.
public final class ChildProcess: Sendable {
    /// Why a program could not be started.
    public struct Failure: Error, CustomStringConvertible {
        /// The program and the reason.
        public let description: String
    }

    /// How a program ended.
    public enum End: Equatable, Sendable {
        case exited(status: Int32)
        case killed(signal: Int32)
    }

    /// The kernel's number for it.
    public let processID: pid_t
    private let outputPath: String
    private let end = Mutex<End?>(nil)

    /// Starts `path` with exactly `environment`, standard input empty.
    ///
    /// What it says is appended to the file at `outputPath`, which is made where it is missing.
    ///
    /// - Throws: ``Failure`` where there is no such program.
    public init(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String],
        outputPath: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }

        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A test runner may block signals in its threads; a program must start without that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let argumentText = ([path] + arguments).map { strdup($0) } + [nil]
        let environmentText = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argumentText + environmentText).forEach { free($0) } }

        var made: pid_t = 0
        let code = posix_spawn(&made, path, &actions, &attributes, argumentText, environmentText)
        guard code == 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(code)))")
        }
        processID = made
        self.outputPath = outputPath
    }

    deinit {
        guard poll() == nil else { return }
        kill(processID, SIGKILL)
        waitpid(processID, nil, 0)
    }

    /// How it ended, or nil while it runs.
    public func poll() -> End? {
        end.withLock { end in
            if let end { return end }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG) == processID else { return nil }
            end =
                status & 0x7f == 0
                ? .exited(status: (status >> 8) & 0xff) : .killed(signal: status & 0x7f)
            return end
        }
    }

    /// Sends a signal, unless it has ended.
    public func signal(_ number: Int32) {
        guard poll() == nil else { return }
        kill(processID, number)
    }

    /// Waits for its end.
    ///
    /// - Returns: nil where it still runs after `limit`.
    public func waitForEnd(within limit: Duration = .seconds(30)) -> End? {
        waitUntil(within: limit) { poll() != nil }
        return poll()
    }

    /// SIGTERM, then its end; SIGKILL where that takes longer than `limit`.
    @discardableResult
    public func stop(within limit: Duration = .seconds(30)) -> End? {
        signal(SIGTERM)
        if let end = waitForEnd(within: limit) { return end }
        kill()
        return nil
    }

    /// SIGKILL, and gone when this returns.
    public func kill() {
        signal(SIGKILL)
        _ = waitForEnd()
    }

    private func kill(_ processID: pid_t, _ number: Int32) { Glibc.kill(processID, number) }

    /// What it wrote so far, with what stood in the file before.
    public var output: String {
        guard let file = fopen(outputPath, "r") else { return "" }
        defer { fclose(file) }

        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
