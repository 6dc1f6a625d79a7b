/// The shells that pipelinectl can be completed in.
enum CompletionShell: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The script that teaches the shell these commands.
    func script(for commands: [CommandSpecification]) -> String {
        let tree = CommandTree(commands: commands)
        switch self {
        case .bash: return BashCompletion(tree: tree).text
        case .zsh: return ZshCompletion(tree: tree).text
        case .fish: return FishCompletion(tree: tree).text
        }
    }
}

/// The commands as a shell walks through them: word by word.
struct CommandTree: Sendable {
    let commands: [CommandSpecification]

    /// What may be typed so far: every command, and every beginning of one, once each.
    var names: [String] {
        var names: [String] = []
        for command in commands {
            for count in 1...command.words.count {
                let name = command.words.prefix(count).joined(separator: " ")
                if !names.contains(name) { names.append(name) }
            }
        }
        return names
    }

    /// Beginnings that need another word; the first of them is nothing at all.
    var groups: [String] {
        [""] + names.filter { name in !commands.contains { $0.name == name } }
    }

    /// The words that may follow a beginning, each with what it leads to.
    func followers(of group: String) -> [(word: String, summary: String)] {
        let known = group.split(separator: " ").map(String.init)
        var found: [(word: String, summary: String)] = []
        for command in commands where command.words.starts(with: known) {
            guard command.words.count > known.count else { continue }
            let word = command.words[known.count]
            guard !found.contains(where: { $0.word == word }) else { continue }
            let isWhole = command.words.count == known.count + 1
            let inside = commands.filter { $0.words.starts(with: known + [word]) }
                .compactMap { $0.words.last }
            found.append((word, isWhole ? command.summary : inside.joined(separator: ", ")))
        }
        return found
    }

    /// Every word that begins a command.
    var firstWords: [String] { followers(of: "").map(\.word) }
}

extension String {
    /// The text as one word of a shell: in single quotes, a single quote in it apart.
    var singleQuoted: String { "'" + split("'").joined(separator: "'\\''") + "'" }

    /// The text for fish, which knows two escapes inside single quotes.
    var fishQuoted: String {
        "'" + split("\\").joined(separator: "\\\\").split("'").joined(separator: "\\'") + "'"
    }

    private func split(_ separator: Character) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
