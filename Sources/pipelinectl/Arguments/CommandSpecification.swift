/// A command as the parser and the help text read it: what it is called and what it takes.
struct CommandSpecification: Sendable {
    /// `["dead", "list"]` for `pipelinectl dead list`.
    let words: [String]
    /// What it does, in one line without a full stop.
    let summary: String
    var operands = Operands.none
    /// Its own flags, beside ``Flag/common``.
    var flags: [Flag] = []
    /// What else there is to say, a paragraph each.
    var details: [String] = []
    var examples: [Example] = []

    /// What stands on the command line besides flags.
    struct Operands: Sendable {
        /// As the usage line shows them, `ID...` say; empty for none.
        let usage: String
        let count: ClosedRange<Int>
        /// What a shell offers for them.
        let suggestions: Suggestions

        static let none = Operands(usage: "", count: 0...0)

        /// Operands that complete to files where the usage names one, unless told otherwise.
        init(usage: String, count: ClosedRange<Int>, suggestions: Suggestions? = nil) {
            self.usage = usage
            self.count = count
            let isFile =
                ["FILE", "PATH", "BACKUP"].contains { usage.hasSuffix($0) }
                || ["[FILE]", "[PATH]", "[BACKUP]"].contains(usage)
            self.suggestions = suggestions ?? (isFile ? .files : .nothing)
        }
    }

    /// What a shell offers where an operand or the value of a flag is to be typed.
    enum Suggestions: Sendable, Equatable {
        case nothing
        case files
        case words([String])
        /// The words of every command.
        case commands
    }

    /// A command line to copy, and what it does.
    struct Example: Sendable {
        let line: String
        let meaning: String
    }

    /// `dead list`.
    var name: String { words.joined(separator: " ") }

    /// Every flag it takes.
    var allFlags: [Flag] { flags + Flag.common }
}
