/// Completion for fish 3.
struct FishCompletion: Sendable {
    let tree: CommandTree

    var text: String {
        """
        # fish completion for pipelinectl, made by `pipelinectl completions fish`.
        function __pipelinectl_is
            set -l command ''
            set -l words (commandline -opc)
            for word in $words[2..]
                set -l longer (string trim -- "$command $word")
                if contains -- "$longer" \(tree.names.map(\.fishQuoted).joined(separator: " "))
                    set command "$longer"
                end
            end
            test "$command" = "$argv"
        end
        complete -c pipelinectl -f
        \((words + operands + flags).joined(separator: "\n"))

        """
    }

    private var words: [String] {
        tree.groups.flatMap { group in
            tree.followers(of: group).map { follower in
                line(
                    at: group,
                    "-a \(follower.word.fishQuoted) -d \(follower.summary.fishQuoted)")
            }
        }
    }

    private var operands: [String] {
        tree.commands.compactMap { command in
            switch command.operands.suggestions {
            case .nothing: nil
            case .files: line(at: command.name, "-F")
            case .words(let words):
                line(at: command.name, "-a " + words.joined(separator: " ").fishQuoted)
            case .commands:
                line(at: command.name, "-a " + tree.firstWords.joined(separator: " ").fishQuoted)
            }
        }
    }

    private var flags: [String] {
        tree.commands.flatMap { command in
            command.allFlags.map { flag in
                line(
                    at: command.name,
                    "-l \(flag.name) \(value(flag))-d \(flag.help.fishQuoted)")
            }
        }
    }

    private func value(_ flag: Flag) -> String {
        switch flag.suggestions {
        case .none: ""
        case .nothing: "-x "
        case .files: "-r -F "
        case .words(let words): "-x -a \(words.joined(separator: " ").fishQuoted) "
        case .commands: "-x -a \(tree.firstWords.joined(separator: " ").fishQuoted) "
        }
    }

    private func line(at command: String, _ rest: String) -> String {
        "complete -c pipelinectl -n \("__pipelinectl_is \(command)".fishQuoted) \(rest)"
    }
}
