import CLinux
import Glibc
import Synchronization

/// Tells systemd how this process fares, where systemd asked for it (sd_notify(3)).
///
/// Without `NOTIFY_SOCKET` in the environment every call does nothing. No call blocks, and none
/// fails: a manager that does not listen must not hold up a webhook.
///
/// A beat is sent by the thread whose stillness would matter, so that it proves something: when no
/// beat comes for `WatchdogSec=`, systemd ends the process and starts it again.
public final class Supervisor: Sendable {
    // Owned; -1 where nobody listens.
    private let socket: Int32
    private let address: [UInt8]
    /// Twice as often as systemd wants to hear from us, as sd_watchdog_enabled(3) advises.
    ///
    /// Nil where no watchdog waits for a beat.
    public let beatInterval: Duration?
    private let lastBeat = Mutex<Duration?>(nil)

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///
    /// - Parameter environment: the process's own.
    public init(environment: [String: String]) {
        let path = environment["NOTIFY_SOCKET"] ?? ""
        address = Self.address(path)
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        socket = address.isEmpty ? -1 : Glibc.socket(AF_UNIX, type, 0)
        let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        beatInterval =
            socket >= 0 && isMeant && microseconds > 0 ? .microseconds(microseconds / 2) : nil
    }

    deinit { if socket >= 0 { close(socket) } }

    /// The program does its work from now on.
    public func ready() { send("READY=1") }

    /// The program ends by itself or was asked to.
    public func stopping() { send("STOPPING=1") }

    /// The calling thread goes on; sent no oftener than each ``beatInterval``.
    ///
    /// Meant to be called often: without a watchdog it costs a comparison.
    public func beat() {
        guard let beatInterval else { return }
        let now = MonotonicClock.now()
        let isDue = lastBeat.withLock { last in
            if let last, now - last < beatInterval { return false }
            last = now
            return true
        }
        if isDue { send("WATCHDOG=1") }
    }

    /// A path, or a name in the abstract namespace that begins with `@`; others are not ours.
    private static func address(_ path: String) -> [UInt8] {
        var bytes = Array(path.utf8)
        guard bytes.count > 1, bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return [] }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 } else if bytes[0] != 0x2f { return [] }
        return bytes
    }

    private func send(_ state: String) {
        guard socket >= 0 else { return }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        let isNamed = address[0] != 0
        let prefix = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let length = socklen_t(prefix + address.count + (isNamed ? 1 : 0))
        let bytes = Array(state.utf8)
        _ = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
