import Base

/// The command `help`.
enum HelpCommand: Command {
    private static let man = Flag("man", help: "a manual page with all of it, for man(1)")

    static let specification = CommandSpecification(
        words: ["help"],
        summary: "what there is, or what one command does",
        operands: .init(usage: "[COMMAND...]", count: 0...3, suggestions: .commands),
        flags: [man],
        examples: [
            .init(line: "help dead replay", meaning: "how dead letters are sent again"),
            .init(line: "help --man > pipelinectl.1", meaning: "then: man ./pipelinectl.1"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let commands = CommandList.all.map { $0.specification }
        let parser = ArgumentParser(commands: commands, now: context.now)
        let topic = try Failure.usage { () throws(UsageError) in
            try parser.topic(context.arguments.operands)
        }
        if context.arguments.has(man) {
            guard topic.isEmpty, !context.wantsJSON else {
                throw .usage(context.arguments.mistake("--man is one page of all commands"))
            }
            context.console.write(ManualPage(commands: commands).text)
        } else if context.wantsJSON {
            let chosen = commands.filter { $0.words.starts(with: topic) }
            context.console.write(["items": .array(chosen.map(json))])
        } else {
            context.console.write(HelpText(commands: commands).text(on: topic))
        }
        return ExitCode.ok
    }

    private static func json(_ command: CommandSpecification) -> JSONValue {
        [
            "id": .string(command.name),
            "summary": .string(command.summary),
            "operands": .string(command.operands.usage),
            "flags": .array(
                command.allFlags.map { flag in
                    [
                        "name": .string("--" + flag.name),
                        "value": .optional(flag.value?.placeholder),
                        "help": .string(flag.help),
                    ]
                }),
            "examples": .array(command.examples.map { .string("pipelinectl " + $0.line) }),
        ]
    }
}
