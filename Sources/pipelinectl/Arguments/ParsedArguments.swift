import Base

/// A command line that was understood: the command, its operands, its flags with checked values.
struct ParsedArguments: Sendable {
    let specification: CommandSpecification
    let operands: [String]
    private let values: [String: Value]

    /// What a flag was given, checked against its ``Flag/Value``.
    enum Value: Equatable, Sendable {
        case on
        case text(String)
        case number(Int)
        case moment(Timestamp)
    }

    init(specification: CommandSpecification, operands: [String], values: [String: Value]) {
        self.specification = specification
        self.operands = operands
        self.values = values
    }

    func has(_ flag: Flag) -> Bool { values[flag.name] != nil }

    /// The word given to a flag of ``Flag/Value/text(_:)`` or ``Flag/Value/choice(_:)``.
    func text(_ flag: Flag) -> String? {
        if case .text(let text) = values[flag.name] { text } else { nil }
    }

    func number(_ flag: Flag) -> Int? {
        if case .number(let number) = values[flag.name] { number } else { nil }
    }

    func moment(_ flag: Flag) -> Timestamp? {
        if case .moment(let moment) = values[flag.name] { moment } else { nil }
    }

    /// A mistake in what was asked for that only the command itself can see.
    func mistake(_ message: String) -> UsageError {
        UsageError(message, command: specification.name)
    }
}
