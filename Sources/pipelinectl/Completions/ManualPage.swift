import Base

/// The manual page pipelinectl(1), written from the specifications in the macros of man(7).
struct ManualPage: Sendable {
    let commands: [CommandSpecification]

    var text: String {
        let lines =
            [
                ".TH PIPELINECTL 1 \"\(Release.date)\" \"whatsapp-webhook-pipeline "
                    + "\(Release.version)\" \"User Commands\"",
                ".SH NAME",
                "pipelinectl \\- look at the webhook pipeline, repair it, try it",
                ".SH SYNOPSIS",
                ".B pipelinectl", ".I COMMAND", "[flags]",
                ".SH DESCRIPTION",
                "Results go to standard output: for a person on a terminal, exact and",
                "separated by tabs in a pipe, and as JSON with",
                ".BR \\-\\-json .",
                "Everything else goes to standard error.",
                "Started by root, pipelinectl becomes the user who owns the queue before",
                "it opens anything of it.",
                ".SH OPTIONS", "Every command takes:",
            ] + Flag.common.flatMap(entry) + [".SH COMMANDS"] + commands.flatMap(section) + ending
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(of command: CommandSpecification) -> [String] {
        let operands =
            command.operands.usage.isEmpty ? "" : " " + command.operands.usage
        var lines = [".SS \"\(Self.escaped(command.name + operands))\""]
        lines += Self.paragraph(Self.sentence(command.summary))
        lines += command.flags.flatMap(entry)
        for paragraph in command.details { lines += [".PP"] + Self.paragraph(paragraph) }
        guard !command.examples.isEmpty else { return lines }
        lines += [".PP", "Examples:"]
        for example in command.examples {
            lines += [".TP", ".B pipelinectl \(Self.escaped(example.line))"]
            lines += Self.paragraph(Self.sentence(example.meaning))
        }
        return lines
    }

    private func entry(_ flag: Flag) -> [String] {
        let name = "\\fB\(Self.escaped("--" + flag.name))\\fR"
        let value = flag.value.map { " \\fI\(Self.escaped($0.placeholder))\\fR" } ?? ""
        return [".TP", name + value] + Self.paragraph(Self.sentence(flag.help))
    }

    private var ending: [String] {
        [
            ".SH EXIT STATUS",
            ".TP", "0", "Done.", ".TP", "1", "Failed; standard error says why.",
            ".TP", "2", "The command line was not understood.",
            ".TP", "3", "Not found.", ".TP", "78", "The configuration has a mistake.",
            ".SH ENVIRONMENT",
            "Settings come from the environment, and from the file named by",
            ".BR \\-\\-config ,",
            "which the environment overrules. With",
            ".B NO_COLOR",
            "set there is no colour.",
        ]
    }

    private static func sentence(_ text: String) -> String {
        guard let first = text.first, let last = text.last else { return text }
        // A name keeps its small letter, and what ends already gets no second stop.
        let start = text.hasPrefix("pipelinectl") ? String(first) : first.uppercased()
        return start + text.dropFirst() + (".?!".contains(last) ? "" : ".")
    }

    /// Lines of text: a stop or quote in front of one would be taken for a macro.
    private static func paragraph(_ text: String) -> [String] {
        Wrapping.lines(escaped(text), width: 78).map { line in
            line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
        }
    }

    /// The roff escapes for what has a meaning of its own (groff_char(7)).
    private static func escaped(_ text: String) -> String {
        text.map { letter -> String in
            switch letter {
            case "\\": "\\e"
            case "-": "\\-"
            case "\"": "\\(dq"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "~": "\\(ti"
            case "^": "\\(ha"
            default: String(letter)
            }
        }.joined()
    }
}
