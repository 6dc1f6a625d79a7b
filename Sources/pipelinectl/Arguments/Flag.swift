/// One flag of a command, as the parser and the help text read it.
struct Flag: Sendable {
    /// Without its dashes.
    let name: String
    /// What follows it; `nil` for a switch.
    let value: Value?
    /// One line, without a full stop.
    let help: String

    /// What a flag takes, and what the parser accepts as such.
    enum Value: Sendable {
        /// Any text that is not empty; named so in the help.
        case text(String)
        /// A whole number within bounds.
        case number(ClosedRange<Int>)
        /// RFC 3339, a day, or an age such as `2h`; see ``MomentText``.
        case moment
        /// One of these words.
        case choice([String])

        /// How the help names it.
        var placeholder: String {
            switch self {
            case .text(let name): name
            case .number: "N"
            case .moment: "WHEN"
            case .choice(let words): words.joined(separator: "|")
            }
        }
    }

    /// What a shell offers for its value; `nil` for a switch.
    var suggestions: CommandSpecification.Suggestions? {
        switch value {
        case .none: nil
        case .text("FILE"), .text("PATH"), .text("DIRECTORY"): .files
        case .choice(let words): .words(words)
        case .text, .number, .moment: .nothing
        }
    }

    init(_ name: String, _ value: Value? = nil, help: String) {
        self.name = name
        self.value = value
        self.help = help
    }

    /// `--limit N`.
    var usage: String { "--" + name + (value.map { " " + $0.placeholder } ?? "") }
}

extension Flag {
    static let json = Flag("json", help: "one line of JSON instead of text")
    static let config = Flag(
        "config", .text("FILE"), help: "settings as KEY=VALUE lines; the environment wins")
    static let help = Flag("help", help: "what this command does, with examples")

    /// What every command takes.
    static let common = [json, config, help]

    static let dryRun = Flag("dry-run", help: "change nothing, say how many it would be")
}
