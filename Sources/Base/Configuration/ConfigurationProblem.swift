/// One thing that is wrong with the configuration, in one line for the operator.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// `KEY="value": expected ...`, `KEY is required: ...` or `FILE:LINE: ...`; one line.
    public let description: String

    init(_ description: String) { self.description = description }

    /// A value that is not what was expected; a secret one is not shown.
    init(_ key: ConfigurationKey, value: String, expected: String) {
        let shown = key.isSecret ? "<secret>" : Self.quoted(value)
        self.init("\(key.name)=\(shown): expected \(expected)")
    }

    static func required(_ key: ConfigurationKey) -> ConfigurationProblem {
        ConfigurationProblem("\(key.name) is required: \(key.help)")
    }

    /// The value in quotes, on one line, without the password that an address may hold.
    private static func quoted(_ value: String) -> String {
        var line = ""
        SafeText.appendQuoted(withoutPassword(value), to: &line)
        return line
    }

    private static func withoutPassword(_ value: String) -> String {
        let bytes = Array(value.utf8)
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return value }
        let start = bytes[..<at].indices.first { bytes[$0...].starts(with: "://".utf8) }
        guard let start else { return value }
        let head = String(decoding: bytes[..<(start + 3)], as: UTF8.self)
        return head + "***" + String(decoding: bytes[at...], as: UTF8.self)
    }
}

/// Everything that is wrong with the configuration, together.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one.
    public let problems: [ConfigurationProblem]

    /// One line each, `configuration: ` in front.
    public var description: String {
        problems.map { "configuration: \($0)" }.joined(separator: "\n")
    }
}
