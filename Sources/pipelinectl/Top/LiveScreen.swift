import Base
import CLinux
import Glibc

/// A terminal while it shows a live view, and the way back from it.
///
/// The view has the alternate screen to itself, so that what stood there before comes back; keys
/// arrive one by one and unseen. Whatever ends the program, a signal or a crash included, the
/// terminal gets back its screen, its cursor and its settings; only SIGKILL cannot be answered.
/// One at a time; belongs to one thread, in a process that has no other.
final class LiveScreen {
    /// Why the view is to go on.
    enum Event: Equatable {
        case key(UInt8)
        case resized
        /// Somebody asked the program to end.
        case ended
        /// The time has come.
        case due
    }

    private let signals: Descriptor
    private static let wanted = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP]

    /// Takes the terminal of standard input and output.
    ///
    /// - Throws: ``SystemError`` where they are none.
    init() throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Self.wanted { sigaddset(&set, signal) }
        signals = Descriptor(
            adopting: try systemCall("signalfd") {
                signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
            })
        try systemCall("tcgetattr") { tcgetattr(STDIN_FILENO, &TerminalBefore.settings) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        TerminalBefore.comeBackFromCrashes()
        enter()
    }

    deinit { TerminalBefore.comeBack() }

    private func enter() {
        TerminalBefore.isTaken = true
        var settings = TerminalBefore.settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
        // The alternate screen, no cursor, all of it empty (xterm's ctlseqs).
        _ = write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    /// Columns and rows at this moment; 80 by 24 where the terminal does not say.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Puts lines in the place of those before; each must fit the screen.
    ///
    /// - Returns: whether the terminal is still there.
    func show(_ lines: [String]) -> Bool {
        write("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Blocks until something happens, or until `deadline`, by ``MonotonicClock``.
    func wait(until deadline: Duration) -> Event {
        while true {
            let left = deadline - MonotonicClock.now()
            guard left > .zero else { return .due }
            var waits = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, 2, Int32(clamping: left.milliseconds + 1)) > 0 else { continue }
            if waits[1].revents != 0, let event = signalled() { return event }
            guard waits[0].revents != 0 else { continue }
            var byte: UInt8 = 0
            // Nothing to read any more: the terminal has gone.
            guard read(STDIN_FILENO, &byte, 1) == 1 else { return .ended }
            return .key(byte)
        }
    }

    private func signalled() -> Event? {
        var received = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(signals.rawValue, &received, size) == size else { return nil }
        switch Int32(bitPattern: received.ssi_signo) {
        case SIGWINCH: return .resized
        case SIGTSTP:
            // ^Z: the shell gets its screen, and `fg` brings ours back.
            TerminalBefore.comeBack()
            kill(getpid(), SIGSTOP)
            enter()
            return .resized
        default: return .ended
        }
    }

    private func write(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

/// What the terminal was before, for every way out; a signal handler may call it.
private enum TerminalBefore {
    // Written before the handlers are set, and by no other thread: there is none.
    nonisolated(unsafe) static var settings = termios()
    nonisolated(unsafe) static var isTaken = false

    private static let crashes = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]

    /// Only what signal-safety(7) allows.
    static func comeBack() {
        guard isTaken else { return }
        isTaken = false
        let sequence: StaticString = "\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l"
        _ = write(STDOUT_FILENO, sequence.utf8Start, sequence.utf8CodeUnitCount)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    static func comeBackFromCrashes() {
        for signal in crashes {
            var action = sigaction()
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
            action.__sigaction_handler.sa_handler = { signal in
                TerminalBefore.comeBack()
                // The default is back in place: this time it ends the process as it should.
                raise(signal)
            }
            sigaction(signal, &action, nil)
        }
    }
}
