/// Writes help from the specifications, so that it cannot say anything else than the parser does.
struct HelpText: Sendable {
    let commands: [CommandSpecification]
    /// Columns a line may have.
    var width = 80

    /// Help on a command, a group of commands, or all of them.
    func text(on topic: [String]) -> String {
        if let command = commands.first(where: { $0.words == topic }) { return text(on: command) }
        return overview(of: commands.filter { $0.words.starts(with: topic) }, topic: topic)
    }

    private func overview(of commands: [CommandSpecification], topic: [String]) -> String {
        let group = (["pipelinectl"] + topic).joined(separator: " ")
        let rows = commands.map { command in
            (
                [command.name, command.operands.usage].filter { !$0.isEmpty }
                    .joined(separator: " "),
                command.summary
            )
        }
        let lines =
            [
                topic.isEmpty
                    ? "pipelinectl - look at the webhook pipeline, repair it, try it" : group,
                "",
                "usage: \(group) COMMAND [flags]",
                "",
                "commands:",
            ] + columns(rows) + [
                "",
                "Every command takes:",
            ] + columns(Flag.common.map { ($0.usage, $0.help) }) + [
                "",
                "Exit status: 0 done, 1 failed, 2 the command line was not understood,",
                "3 not found, 78 the configuration has a mistake.",
            ]
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(on command: CommandSpecification) -> String {
        let operands = command.operands.usage.isEmpty ? "" : " " + command.operands.usage
        var lines = [
            "pipelinectl \(command.name) - \(command.summary)", "",
            "usage: pipelinectl \(command.name)\(operands) [flags]", "", "flags:",
        ]
        lines += columns(command.allFlags.map { ($0.usage, $0.help) })
        for paragraph in command.details { lines += [""] + Wrapping.lines(paragraph, width: width) }
        if !command.examples.isEmpty { lines += ["", "examples:"] }
        for example in command.examples {
            lines += ["  pipelinectl \(example.line)", "      \(example.meaning)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Two columns; what is long on the left gets a line of its own.
    private func columns(_ rows: [(left: String, right: String)]) -> [String] {
        let leftMax = 26
        let left = min(rows.map(\.left.count).max() ?? 0, leftMax)
        let indentation = String(repeating: " ", count: left + 4)
        return rows.flatMap { row -> [String] in
            let right = Wrapping.lines(row.right, width: width - left - 4)
            let rest = right.dropFirst().map { indentation + $0 }
            guard row.left.count <= left else {
                return ["  " + row.left, indentation + right[0]] + rest
            }
            let gap = String(repeating: " ", count: left - row.left.count + 2)
            return ["  " + row.left + gap + right[0]] + rest
        }
    }
}
