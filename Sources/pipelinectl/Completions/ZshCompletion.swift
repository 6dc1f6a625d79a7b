/// Completion for zsh 5: a file `_pipelinectl` of fpath, or sourced after compinit.
struct ZshCompletion: Sendable {
    let tree: CommandTree

    var text: String {
        """
        #compdef pipelinectl
        # zsh completion for pipelinectl, made by `pipelinectl completions zsh`.
        _pipelinectl() {
            local command='' previous="${words[CURRENT-1]}" word
            local -i index
            local -a choices
            for ((index = 2; index < CURRENT; index++)); do
                word="${command:+$command }${words[index]}"
                case "$word" in
                    (\(tree.names.map(\.singleQuoted).joined(separator: " | "))) command="$word" ;;
                esac
            done
            case "$command $previous" in
        \(values.joined(separator: "\n"))
            esac
            if [[ "$PREFIX" == -* ]]; then
                case "$command" in
        \(flags.joined(separator: "\n"))
                esac
                _describe -o 'flag' choices
            else
                case "$command" in
        \(words.joined(separator: "\n"))
                esac
                _describe 'word' choices
            fi
        }
        if [[ "$funcstack[1]" == _pipelinectl ]]; then
            _pipelinectl "$@"
        else
            compdef _pipelinectl pipelinectl
        fi

        """
    }

    private var values: [String] {
        tree.commands.flatMap { command in
            command.allFlags.compactMap { flag in
                guard let suggestions = flag.suggestions else { return nil }
                let pattern = "\(command.name) --\(flag.name)".singleQuoted
                let placeholder = flag.value?.placeholder ?? ""
                return "        (\(pattern)) \(offer(suggestions, placeholder)); return ;;"
            }
        }
    }

    private func offer(
        _ suggestions: CommandSpecification.Suggestions,
        _ placeholder: String
    ) -> String {
        switch suggestions {
        case .nothing: "_message \(placeholder.singleQuoted)"
        case .files: "_files"
        case .words(let words):
            "choices=(\(words.map(\.singleQuoted).joined(separator: " "))); "
                + "_describe 'value' choices"
        case .commands:
            "choices=(\(tree.firstWords.map(\.singleQuoted).joined(separator: " "))); "
                + "_describe 'command' choices"
        }
    }

    private var flags: [String] {
        tree.commands.map { command in
            let name = command.name.singleQuoted
            return "            (\(name)) choices=(\(Self.items(command.allFlags))) ;;"
        } + ["            (*) choices=(\(Self.items(Flag.common))) ;;"]
    }

    private var words: [String] {
        let groups = tree.groups.map { group in
            let items = Self.items(tree.followers(of: group).map { ($0.word, $0.summary) })
            return "            (\(group.singleQuoted)) choices=(\(items)) ;;"
        }
        return groups
            + tree.commands.compactMap { command in
                guard command.operands.suggestions != .nothing else { return nil }
                let offer = offer(command.operands.suggestions, command.operands.usage)
                return "            (\(command.name.singleQuoted)) \(offer); return ;;"
            }
    }

    private static func items(_ flags: [Flag]) -> String {
        items(flags.map { ("--" + $0.name, $0.help) })
    }

    /// `word:what it is`, as `_describe` reads it.
    private static func items(_ pairs: [(String, String)]) -> String {
        pairs.map { "\($0):\($1)".singleQuoted }.joined(separator: " ")
    }
}
