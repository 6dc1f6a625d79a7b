import Base

/// The command `completions`.
enum CompletionsCommand: Command {
    static let specification = CommandSpecification(
        words: ["completions"],
        summary: "what makes a shell complete the words of pipelinectl",
        operands: .init(
            usage: CompletionShell.allCases.map(\.rawValue).joined(separator: "|"), count: 1...1,
            suggestions: .words(CompletionShell.allCases.map(\.rawValue))),
        details: [
            "Made from the same list of commands as this help, so it fits this release: make it "
                + "anew after an upgrade."
        ],
        examples: [
            .init(
                line: "completions bash > /etc/bash_completion.d/pipelinectl",
                meaning: "for every user of bash, from the next login on"),
            .init(
                line: "completions zsh > ~/.zfunc/_pipelinectl",
                meaning: "zsh: a folder of fpath, before compinit"),
            .init(
                line: "completions fish > ~/.config/fish/completions/pipelinectl.fish",
                meaning: "fish finds it by itself"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let word = context.arguments.operands[0]
        guard let shell = CompletionShell(rawValue: word) else {
            let known = CompletionShell.allCases.map(\.rawValue)
            throw .usage(
                context.arguments.mistake(
                    "\"\(word)\" is none of \(known.joined(separator: ", "))"
                        + NearestWord.question(for: word, among: known)))
        }
        let script = shell.script(for: CommandList.all.map { $0.specification })
        if context.wantsJSON {
            context.console.write(["id": .string(word), "script": .string(script)])
        } else {
            context.console.write(script)
        }
        return ExitCode.ok
    }
}
