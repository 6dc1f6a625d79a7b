/// Turns settings into values and collects everything that is wrong on the way.
///
/// Each getter returns something usable after a problem too, so that the rest is looked at as
/// well; ``finish()`` then throws all problems together.
///
///     var reader = ConfigurationReader(source)
///     let path = reader.string(.queuePath)
///     let timeout = reader.duration(.forwardTimeout, in: .seconds(1) ... .seconds(600))
///     try reader.finish()
public struct ConfigurationReader {
    private let source: ConfigurationSource
    /// What is wrong so far, the file's own problems first.
    public private(set) var problems: [ConfigurationProblem]
    /// What holds of every key that was read so far, in that order: given, or the default.
    ///
    /// Made for a log: a secret is `<secret>`, and the password in a URL is left out.
    public private(set) var effective: [(key: String, value: String)] = []
    /// Each of them is reported once, however often it is read.
    private var reportedKeys: Set<ConfigurationKey> = []

    /// Starts with the problems of the source.
    public init(_ source: ConfigurationSource) {
        self.source = source
        problems = source.problems
    }

    /// Throws what is wrong, if anything is.
    ///
    /// - Throws: ``ConfigurationError`` with every problem; the program exits with
    ///   ``ExitCode/configuration``.
    public func finish() throws(ConfigurationError) {
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }

    /// Text; empty only where that is the default.
    public mutating func string(_ key: ConfigurationKey) -> String {
        let text = text(key) ?? ""
        if text.isEmpty, key.defaultText != "" { problem(key, value: text, expected: "some text") }
        return text
    }

    /// Text that one can do without; empty is not given.
    public mutating func optionalString(_ key: ConfigurationKey) -> String? {
        let text = given(key) ?? key.defaultText
        note(key, text)
        return text == "" ? nil : text
    }

    /// Texts between commas, white space around them left out; given as nothing, it is empty.
    public mutating func list(_ key: ConfigurationKey) -> [String] {
        guard let text = text(key), !text.isEmpty else { return [] }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
        guard !parts.contains("") else {
            problem(key, value: text, expected: "values with commas between them")
            return []
        }
        return parts
    }

    /// One secret; an empty one after a problem.
    public mutating func secret(_ key: ConfigurationKey) -> Secret {
        Secret(bytes: Array((text(key) ?? "").utf8))
    }

    /// A secret that one can do without.
    public mutating func optionalSecret(_ key: ConfigurationKey) -> Secret? {
        optionalString(key).map { Secret(bytes: Array($0.utf8)) }
    }

    /// Secrets between commas, at least one; none after a problem.
    public mutating func secretList(_ key: ConfigurationKey) -> [Secret] {
        list(key).map { Secret(bytes: Array($0.utf8)) }
    }

    /// A whole number in digits; the least allowed after a problem.
    public mutating func integer(_ key: ConfigurationKey, in range: ClosedRange<Int>) -> Int {
        let expected =
            range.upperBound == .max
            ? "a whole number, \(range.lowerBound) or more"
            : "a whole number, \(range.lowerBound) to \(range.upperBound)"
        return value(key, expected: expected, otherwise: range.lowerBound) { text in
            DecimalText.number(text.utf8).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A size in bytes, `64KiB` or plain; the least allowed after a problem.
    public mutating func byteCount(_ key: ConfigurationKey, in range: ClosedRange<Int>) -> Int {
        let least = DecimalText.text(byteCount: range.lowerBound)
        let most = DecimalText.text(byteCount: range.upperBound)
        let expected =
            range.upperBound == .max
            ? "a size of \(least) or more, written like 64KiB"
            : "a size from \(least) to \(most), written like 64KiB"
        return value(key, expected: expected, otherwise: range.lowerBound) { text in
            DecimalText.byteCount(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A duration, `500ms` or `7d`; the least allowed after a problem.
    public mutating func duration(
        _ key: ConfigurationKey,
        in range: ClosedRange<Duration>
    ) -> Duration {
        let least = DecimalText.text(range.lowerBound)
        let most = DecimalText.text(range.upperBound)
        let expected = "a duration from \(least) to \(most), written like 500ms or 10s"
        return value(key, expected: expected, otherwise: range.lowerBound) { text in
            DecimalText.duration(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// An address and a port; `127.0.0.1:0` after a problem.
    public mutating func listenAddress(_ key: ConfigurationKey) -> ListenAddress {
        value(
            key, expected: "ADDRESS:PORT, 127.0.0.1:8080 or [::1]:8080 say",
            otherwise: ListenAddress(host: "127.0.0.1", port: 0), parse: ListenAddress.init
        )
    }

    /// One of a few words; the first of them after a problem.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: ConfigurationKey,
        as type: Choice.Type
    ) -> Choice where Choice.RawValue == String {
        guard let first = Choice.allCases.first else {
            preconditionFailure("a choice needs something to choose from")
        }
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return value(
            key, expected: "one of \(words)", otherwise: first, parse: Choice.init(rawValue:)
        )
    }

    /// Notes a problem that only the caller can see; the value of a secret is not shown.
    public mutating func problem(_ key: ConfigurationKey, value: String, expected: String) {
        note(ConfigurationProblem(key, value: value, expected: expected), of: key)
    }

    private mutating func value<Value>(
        _ key: ConfigurationKey,
        expected: String,
        otherwise: Value,
        parse: (String) -> Value?
    ) -> Value {
        guard let text = text(key) else { return otherwise }
        if let value = parse(text) { return value }
        problem(key, value: text, expected: expected)
        return otherwise
    }

    /// What was given, or the default; `nil` after a problem.
    private mutating func text(_ key: ConfigurationKey) -> String? {
        let text = given(key) ?? key.defaultText
        // Given as nothing is not given where nothing would do.
        guard let text, !(text.isEmpty && key.presence == .required) else {
            note(.required(key), of: key)
            return nil
        }
        note(key, text)
        return text
    }

    private mutating func note(_ key: ConfigurationKey, _ text: String?) {
        guard let text, !effective.contains(where: { $0.key == key.name }) else { return }
        let isHidden = key.isSecret && !text.isEmpty
        effective.append((key.name, isHidden ? "<secret>" : Self.withoutPassword(text)))
    }

    /// `http://user:password@host` without the part in front of the `@` (RFC 3986, 3.2.1).
    private static func withoutPassword(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return text }
        return text[..<scheme.upperBound] + "<secret>" + rest[at...]
    }

    private mutating func given(_ key: ConfigurationKey) -> String? {
        switch source.finding(of: key) {
        case .absent: return nil
        case .text(let text): return text
        case .unusable(let problem):
            note(problem, of: key)
            return nil
        }
    }

    private mutating func note(_ problem: ConfigurationProblem, of key: ConfigurationKey) {
        if reportedKeys.insert(key).inserted { problems.append(problem) }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = text.utf8.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(bytes) ?? ""
    }
}
