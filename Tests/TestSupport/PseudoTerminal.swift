import Base
import Glibc
import Synchronization

/// A program on a terminal of its own: what it writes can be read, and keys can be typed.
///
/// The program leads a session, and the terminal is its controlling one, so that ^C and a change of
/// size reach it as they would over ssh. Killed, if it still runs, when the test lets go of it.
public final class PseudoTerminal: Sendable {
    /// Why there is no such terminal.
    public struct Failure: Error, CustomStringConvertible {
        /// What could not be done.
        public let description: String
    }

    /// The kernel's number for the program.
    public let processID: pid_t
    /// The name of the program's side, `/dev/pts/4` say.
    public let name: String
    private let master: Descriptor
    /// Held open, so that the settings can be read after the program has ended.
    private let other: Descriptor
    private let written = Mutex<[UInt8]>([])
    private let end = Mutex<ChildProcess.End?>(nil)

    // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), which the Glibc module does not show.
    private static let unlock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    /// Starts `path` on a terminal of 80 by 24.
    public init(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String],
        columns: UInt16 = 80,
        rows: UInt16 = 24
    ) throws {
        let made = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard made >= 0 else { throw Failure(description: "there is no pseudo terminal") }
        master = Descriptor(adopting: made)
        var number: Int32 = -1
        var isLocked: Int32 = 0
        guard ioctl(made, Self.unlock, &isLocked) == 0, ioctl(made, Self.getNumber, &number) == 0
        else { throw Failure(description: "the pseudo terminal has no other side") }
        name = "/dev/pts/\(number)"
        let side = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard side >= 0 else { throw Failure(description: "\(name) cannot be opened") }
        other = Descriptor(adopting: side)
        Self.resize(made, columns, rows)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }

        // The leader of a new session that opens a terminal gets it as its controlling one.
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSID of <spawn.h>, which needs _GNU_SOURCE to be seen.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
        let argumentText = ([path] + arguments).map { strdup($0) } + [nil]
        let environmentText = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argumentText + environmentText).forEach { free($0) } }

        var started: pid_t = 0
        let code = posix_spawn(&started, path, &actions, &attributes, argumentText, environmentText)
        guard code == 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(code)))")
        }
        processID = started
    }

    deinit {
        guard poll() == nil else { return }
        kill(processID, SIGKILL)
        waitpid(processID, nil, 0)
    }

    /// Types keys.
    public func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = Glibc.write(master.rawValue, bytes, bytes.count)
    }

    /// Sends a signal to the program.
    public func signal(_ number: Int32) {
        guard poll() == nil else { return }
        kill(processID, number)
    }

    /// Gives the terminal another size; the program hears of it by SIGWINCH.
    public func resize(columns: UInt16, rows: UInt16) {
        Self.resize(master.rawValue, columns, rows)
    }

    private static func resize(_ descriptor: Int32, _ columns: UInt16, _ rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    /// Everything that the program has written so far, escape sequences included.
    public var output: String {
        written.withLock { written in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case let count = read(master.rawValue, &buffer, buffer.count), count > 0 {
                written += buffer.prefix(count)
            }
            return String(decoding: written, as: UTF8.self)
        }
    }

    /// Whether keys are shown as they are typed, and taken by the line: how a shell leaves it.
    public var isCooked: Bool {
        var settings = termios()
        guard tcgetattr(other.rawValue, &settings) == 0 else { return false }
        let wanted = tcflag_t(ICANON | ECHO)
        return settings.c_lflag & wanted == wanted
    }

    /// How the program ended, or nil while it runs.
    public func poll() -> ChildProcess.End? {
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

    /// Waits until the program has written `text`.
    ///
    /// - Returns: whether it did.
    @discardableResult
    public func waitFor(_ text: String, within limit: Duration = .seconds(30)) -> Bool {
        waitUntil(within: limit) { output.contains(text) }
    }

    /// Waits for the program's end; what it writes meanwhile is read, or it could never end.
    public func waitForEnd(within limit: Duration = .seconds(30)) -> ChildProcess.End? {
        waitUntil(within: limit) {
            _ = output
            return poll() != nil
        }
        _ = output
        return poll()
    }
}
