/// A file of `KEY=VALUE` lines, read as systemd reads an `EnvironmentFile`.
///
/// - Lines that begin with `#` or `;` are comments; a `#` later in a line is not.
/// - White space around names and values does not count.
/// - `'...'` is taken as it is; in `"..."` a backslash takes the meaning off a double quote, a
///   backslash, a backtick and `$`. Both may go on over several lines.
/// - Outside quotes a backslash takes the meaning off any character; at the end of a line, in
///   double quotes too, it joins the next one.
///
/// Stricter than systemd: a name given twice and text after a closing quote are problems.
struct EnvironmentFile {
    struct Assignment: Equatable {
        let name: String
        let value: String
        /// The line it begins in, from 1.
        let line: Int
    }

    struct Problem: Equatable {
        let line: Int
        /// Never holds a value, which may be a secret.
        let reason: String
    }

    private(set) var assignments: [Assignment] = []
    private(set) var problems: [Problem] = []

    init(_ bytes: [UInt8]) {
        var scanner = EnvironmentScanner(bytes)
        while scanner.skipToNextAssignment() {
            let line = scanner.line
            switch scanner.assignment() {
            case .success(let (name, value)): append(name, value, line: line)
            case .failure(let refusal): problems.append(Problem(line: line, reason: refusal.reason))
            }
        }
    }

    private mutating func append(_ name: [UInt8], _ value: [UInt8], line: Int) {
        let nameText = String(decoding: name, as: UTF8.self)
        if let reason = refusal(name: nameText, value: value) {
            problems.append(Problem(line: line, reason: reason))
            return
        }
        let valueText = String(decoding: value, as: UTF8.self)
        assignments.append(Assignment(name: nameText, value: valueText, line: line))
    }

    private func refusal(name: String, value: [UInt8]) -> String? {
        guard Self.isName(name) else {
            var shown = ""
            SafeText.appendQuoted(name, to: &shown)
            return "\(shown) is no name, expected KEY=VALUE"
        }
        guard !value.contains(0), String(validating: value, as: UTF8.self) != nil else {
            return "the value of \(name) is not UTF-8 text"
        }
        return assignments.first { $0.name == name }.map {
            "\(name) is given again, first in line \($0.line)"
        }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
        }
    }
}

/// Walks through the bytes of an environment file, an assignment at a time.
struct EnvironmentScanner {
    struct Refusal: Error {
        let reason: String
    }

    private let bytes: [UInt8]
    private var offset = 0
    private(set) var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take() -> UInt8? {
        guard let byte = current else { return nil }
        offset += 1
        if byte == Self.newline { line += 1 }
        return byte
    }

    /// Passes over white space, empty lines and comments.
    ///
    /// - Returns: `false` at the end of the file.
    mutating func skipToNextAssignment() -> Bool {
        while let byte = current {
            switch byte {
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
            case Self.space, Self.tab, Self.newline, Self.carriageReturn: _ = take()
            default: return true
            }
        }
        return false
    }

    /// Reads one assignment, to the end of its last line.
    mutating func assignment() -> Result<(name: [UInt8], value: [UInt8]), Refusal> {
        var name: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "=") {
            guard byte != Self.newline else {
                return .failure(Refusal(reason: "expected KEY=VALUE"))
            }
            name.append(byte)
            offset += 1
        }
        guard take() != nil else { return .failure(Refusal(reason: "expected KEY=VALUE")) }
        while let last = name.last, Self.isBlank(last) { name.removeLast() }
        skipBlanks()
        guard let byte = current, Self.isQuote(byte) else {
            return .success((name, plainValue()))
        }
        return quotedValue().map { (name, $0) }
    }

    /// Up to the end of the line, white space at its end left out unless a backslash is before it.
    private mutating func plainValue() -> [UInt8] {
        var value: [UInt8] = []
        var keptCount = 0
        while let byte = take(), byte != Self.newline {
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                if !Self.isBlank(byte) { keptCount = value.count }
                continue
            }
            if takeLineEnd() { continue }
            guard let escaped = take() else { break }
            value.append(escaped)
            keptCount = value.count
        }
        return Array(value.prefix(keptCount))
    }

    /// One quoted stretch after another, then nothing but white space.
    private mutating func quotedValue() -> Result<[UInt8], Refusal> {
        let start = (offset: offset, line: line)
        var value: [UInt8] = []
        while let byte = current, Self.isQuote(byte) {
            offset += 1
            let isClosed =
                byte == UInt8(ascii: "'")
                ? takeSingleQuoted(into: &value) : takeDoubleQuoted(into: &value)
            guard isClosed else {
                // Go on behind the line with the quote, to find what else is wrong.
                (offset, line) = start
                skipLine()
                return .failure(Refusal(reason: "the quote is not closed"))
            }
        }
        skipBlanks()
        guard current == nil || current == Self.newline else {
            skipLine()
            return .failure(Refusal(reason: "text after the closing quote"))
        }
        _ = take()
        return .success(value)
    }

    private mutating func takeSingleQuoted(into value: inout [UInt8]) -> Bool {
        while let byte = take() {
            guard byte != UInt8(ascii: "'") else { return true }
            value.append(byte)
        }
        return false
    }

    private mutating func takeDoubleQuoted(into value: inout [UInt8]) -> Bool {
        while let byte = take() {
            guard byte != UInt8(ascii: "\"") else { return true }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            if takeLineEnd() { continue }
            guard let escaped = take() else { return false }
            if !"\"\\`$".utf8.contains(escaped) { value.append(byte) }
            value.append(escaped)
        }
        return false
    }

    private mutating func takeLineEnd() -> Bool {
        if current == Self.carriageReturn, offset + 1 < bytes.count,
            bytes[offset + 1] == Self.newline
        {
            offset += 1
        }
        guard current == Self.newline else { return false }
        _ = take()
        return true
    }

    private mutating func skipBlanks() {
        while let byte = current, Self.isBlank(byte) { offset += 1 }
    }

    private mutating func skipLine() {
        while let byte = take(), byte != Self.newline {}
    }

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")

    /// White space within a line; a carriage return is part of the line's end.
    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || byte == tab || byte == carriageReturn
    }

    private static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }
}
