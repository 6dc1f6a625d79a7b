import Glibc

/// Where a command's words go: results to standard output, what went wrong to standard error.
///
/// Not `Sendable`: one command runs on one thread.
final class Console {
    /// Who reads the results.
    enum Reader: Equatable {
        case person(colour: Bool)
        /// A pipe or a file: exact figures, tabs, no heading.
        case program
    }

    let reader: Reader
    /// Whether a person sees standard error as it is written.
    private let showsPassing: Bool
    private let writeOutput: ([UInt8]) -> Bool
    private let writeError: ([UInt8]) -> Bool
    /// Whether all of the results went where they should; a full disk may have stopped them.
    private(set) var isIntact = true

    /// A console of two functions that take bytes and say whether they could.
    init(
        reader: Reader,
        showsPassing: Bool = false,
        output: @escaping ([UInt8]) -> Bool,
        error: @escaping ([UInt8]) -> Bool
    ) {
        self.reader = reader
        self.showsPassing = showsPassing
        writeOutput = output
        writeError = error
    }

    /// Standard output and standard error of this process.
    static func standard(environment: [String: String]) -> Console {
        Console(
            reader: reader(isTerminal: isatty(STDOUT_FILENO) == 1, environment: environment),
            showsPassing: isatty(STDERR_FILENO) == 1,
            output: { write($0, to: STDOUT_FILENO) },
            error: { write($0, to: STDERR_FILENO) }
        )
    }

    /// Colour only on terminals that know it, and never with NO_COLOR (https://no-color.org).
    static func reader(isTerminal: Bool, environment: [String: String]) -> Reader {
        guard isTerminal else { return .program }
        let isUnwanted = !(environment["NO_COLOR"] ?? "").isEmpty
        return .person(colour: !isUnwanted && environment["TERM"] != "dumb")
    }

    /// Writes results as they are.
    func write(_ text: String) { write(bytes: Array(text.utf8)) }

    /// Writes results as they are.
    func write(bytes: [UInt8]) {
        if !writeOutput(bytes) { isIntact = false }
    }

    func write(_ value: JSONValue) { write(value.text + "\n") }

    func write(_ table: Table) {
        switch reader {
        case .person(let colour): write(table.aligned(colour: colour))
        case .program: write(table.plain)
        }
    }

    /// Says what went wrong, or what a person should know beside the results; one line.
    func remark(_ text: String) {
        _ = writeError(Array((HostileText.line(text) + "\n").utf8))
    }

    /// Writes a line of standard error that the next one takes the place of; only on a terminal.
    func showPassing(_ text: String) {
        guard showsPassing else { return }
        _ = writeError(Array(("\r" + HostileText.line(text) + "\u{1B}[K").utf8))
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let chunk = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
