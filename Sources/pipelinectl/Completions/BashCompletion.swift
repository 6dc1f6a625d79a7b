/// Completion for bash 4 and later; needs nothing of the package bash-completion.
struct BashCompletion: Sendable {
    let tree: CommandTree

    var text: String {
        """
        # bash completion for pipelinectl, made by `pipelinectl completions bash`.
        _pipelinectl() {
            local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
            local command='' choices='' index word
            COMPREPLY=()
            # bash takes --flag=value apart at its sign.
            if [ "$current" = '=' ]; then
                current=''
            elif [ "$previous" = '=' ]; then
                previous="${COMP_WORDS[COMP_CWORD-2]}"
            fi
            for ((index = 1; index < COMP_CWORD; index++)); do
                word="${command:+$command }${COMP_WORDS[index]}"
                case "$word" in
                    \(tree.names.map(\.singleQuoted).joined(separator: " | "))) command="$word" ;;
                esac
            done
            case "$command $previous" in
        \(values.joined(separator: "\n"))
            esac
            case "$current" in
                -*)
                    case "$command" in
        \(flags.joined(separator: "\n"))
                    esac ;;
                *)
                    case "$command" in
        \(words.joined(separator: "\n"))
                    esac ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
        }
        _pipelinectl_files() {
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        }
        complete -F _pipelinectl pipelinectl

        """
    }

    /// Where the word before is a flag that takes a value, only that is offered.
    private var values: [String] {
        tree.commands.flatMap { command in
            command.allFlags.compactMap { flag in
                guard let suggestions = flag.suggestions else { return nil }
                let pattern = "\(command.name) --\(flag.name)".singleQuoted
                return "        \(pattern)) \(values(suggestions)) ;;"
            }
        }
    }

    private func values(_ suggestions: CommandSpecification.Suggestions) -> String {
        let give = "mapfile -t COMPREPLY < <(compgen -W "
        switch suggestions {
        case .nothing: return "return"
        case .files: return "_pipelinectl_files; return"
        case .words(let words):
            return give + words.joined(separator: " ").singleQuoted + " -- \"$current\"); return"
        case .commands:
            return give + tree.firstWords.joined(separator: " ").singleQuoted
                + " -- \"$current\"); return"
        }
    }

    private var flags: [String] {
        let common = Flag.common.map { "--" + $0.name }.joined(separator: " ")
        return tree.commands.map { command in
            let names = command.allFlags.map { "--" + $0.name }.joined(separator: " ")
            return "                \(command.name.singleQuoted)) choices=\(names.singleQuoted) ;;"
        } + ["                *) choices=\((common + " --version").singleQuoted) ;;"]
    }

    private var words: [String] {
        let groups = tree.groups.map { group in
            let words = tree.followers(of: group).map(\.word).joined(separator: " ")
            return "                \(group.singleQuoted)) choices=\(words.singleQuoted) ;;"
        }
        return groups
            + tree.commands.compactMap { command in
                guard command.operands.suggestions != .nothing else { return nil }
                let action = values(command.operands.suggestions)
                return "                \(command.name.singleQuoted)) \(action) ;;"
            }
    }
}
