import Glibc

/// Writes what a person has to know, one line a call, to standard error.
///
/// The message is constant and the facts are fields, so that a search finds every case of it. A
/// line goes out in one `write`, escaped so that nothing from outside can end or forge one. A line
/// that cannot be written is dropped: a full log disk must not stop webhooks.
///
///     2026-11-23T23:59:59.123Z warning workers: attempt failed, will retry delivery=7 status=503
public struct Log: Sendable {
    /// How much it matters, by who must act.
    public enum Level: String, CaseIterable, Comparable, Sendable {
        /// For whoever hunts a bug.
        case debug
        /// Normal life.
        case info
        /// Normal, and worth knowing: a start, a stop, a change of state.
        case notice
        /// The program deals with it; somebody should look if it goes on.
        case warning
        /// Somebody has to act.
        case error

        /// Less is less severe.
        public static func < (left: Level, right: Level) -> Bool {
            left.severity < right.severity
        }

        private var severity: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .notice: 2
            case .warning: 3
            case .error: 4
            }
        }

        /// The priority of syslog(3), which journald reads from `<N>` in front of a line.
        var priority: Int { 7 - severity }
    }

    /// The look of a line.
    public enum Format: String, CaseIterable, Sendable {
        /// Text on a terminal, JSON elsewhere.
        case auto
        /// For people: `time level program: message key=value`.
        case text
        /// For machines: one JSON object a line.
        case json
    }

    private let program: String
    private let levelMin: Level?
    private let style: LogLine.Style
    private let descriptor: Int32

    /// A log that writes lines of `level` and above.
    ///
    /// - Parameters:
    ///   - program: the name on each line.
    ///   - level: the least that is written.
    ///   - format: the look of a line.
    ///   - descriptor: where lines go, standard error but for tests; stays the caller's.
    public init(
        program: String,
        level: Level,
        format: Format,
        descriptor: Int32 = STDERR_FILENO
    ) {
        self.program = program
        levelMin = level
        style = LogLine.Style(
            format: format,
            isTerminal: isatty(descriptor) == 1,
            isJournal: Log.isJournal(
                descriptor, stream: getenv("JOURNAL_STREAM").map { String(cString: $0) })
        )
        self.descriptor = descriptor
    }

    private init() {
        program = ""
        levelMin = nil
        style = .text
        descriptor = -1
    }

    /// A log that says nothing.
    public static var disabled: Log { Log() }

    /// Whether lines of this level are written; worth asking before costly fields.
    public func isEnabled(_ level: Level) -> Bool {
        levelMin.map { level >= $0 } ?? false
    }

    /// For whoever hunts a bug.
    public func debug(_ message: StaticString, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.debug, message, fields)
    }

    /// Normal life.
    public func info(_ message: StaticString, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.info, message, fields)
    }

    /// Normal, and worth knowing.
    public func notice(_ message: StaticString, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.notice, message, fields)
    }

    /// Normal, and worth knowing; for fields whose names are not known to the code.
    public func notice(_ message: StaticString, fields: [(key: String, value: LogValue)]) {
        write(.notice, message, fields)
    }

    /// The program deals with it; somebody should look if it goes on.
    public func warning(_ message: StaticString, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.warning, message, fields)
    }

    /// Somebody has to act.
    public func error(_ message: StaticString, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.error, message, fields)
    }

    private func write(
        _ level: Level,
        _ message: StaticString,
        _ fields: KeyValuePairs<String, LogValue>
    ) {
        guard isEnabled(level) else { return }
        write(level, message, Array(fields))
    }

    private func write(
        _ level: Level,
        _ message: StaticString,
        _ fields: [(key: String, value: LogValue)]
    ) {
        guard isEnabled(level) else { return }
        let line = LogLine(
            time: .now(), level: level, program: program, message: "\(message)", fields: fields
        )
        var text = line.rendered(as: style)
        text.withUTF8 { bytes in
            while Glibc.write(descriptor, bytes.baseAddress, bytes.count) < 0, errno == EINTR {}
        }
    }

    /// Whether the descriptor is the one that journald gave: JOURNAL_STREAM names device and inode
    /// of it (systemd.exec(5)).
    static func isJournal(_ descriptor: Int32, stream: String?) -> Bool {
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
