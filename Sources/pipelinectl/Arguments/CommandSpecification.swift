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

        static let none = Operands(usage: "", count: 0...0)
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
