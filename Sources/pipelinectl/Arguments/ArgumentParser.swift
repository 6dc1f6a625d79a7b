import Base

/// Reads a command line.
///
/// Pure: what there is to choose from, and the time, come in as arguments.
/// Flags may stand before, between and behind operands, as `--limit 5` or `--limit=5`; `--` ends
/// them. No flag may be given twice.
struct ArgumentParser: Sendable {
    let commands: [CommandSpecification]
    /// What ages are counted from.
    let now: Timestamp

    /// What is to be done.
    enum Invocation {
        /// Nothing was asked for.
        case overview
        /// How to use a command or a group of them; no word for all.
        case help(topic: [String])
        case run(ParsedArguments)
    }

    /// Reads a command line, without the program's own name.
    func parse(_ arguments: [String]) throws(UsageError) -> Invocation {
        guard !arguments.isEmpty else { return .overview }
        if arguments.first == "--version" { return try parse(["version"] + arguments.dropFirst()) }
        let (words, rest) = separate(arguments)
        if asksForHelp(rest) { return .help(topic: try topic(words)) }
        guard let command = commands.first(where: { $0.words == words }) else {
            throw unfinished(words)
        }
        return .run(try parse(rest, of: command))
    }

    /// The words of the longest command that is named, or what stands in its place; and the rest.
    private func separate(_ arguments: [String]) -> (words: [String], rest: [String]) {
        var words: [String] = []
        var rest: [String] = []
        var index = 0
        while index < arguments.count, !isCommand(words) {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("-") else {
                words.append(argument)
                if isCommand(words) || isGroup(words) { continue }
                break
            }
            rest.append(argument)
            if argument == "--config", index < arguments.count {
                rest.append(arguments[index])
                index += 1
            }
        }
        return (words, rest + arguments[index...])
    }

    private func isCommand(_ words: [String]) -> Bool { commands.contains { $0.words == words } }

    private func isGroup(_ words: [String]) -> Bool {
        commands.contains { $0.words.starts(with: words) }
    }

    private func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    }

    /// - Throws: where no command begins with these words.
    func topic(_ words: [String]) throws(UsageError) -> [String] {
        guard isGroup(words) else { throw unfinished(words) }
        return words
    }

    // MARK: Words that are no command

    private func unfinished(_ words: [String]) -> UsageError {
        let known = words.indices.last { isGroup(Array(words[...$0])) }.map { words[...$0] } ?? []
        let group = Array(known)
        let choices = followers(of: group)
        guard words.count > group.count else {
            let list = choices.joined(separator: ", ")
            guard !group.isEmpty else { return UsageError("a command is missing: one of \(list)") }
            return UsageError("\"\(group.joined(separator: " "))\" needs one of: \(list)")
        }
        let wrong = words[group.count]
        let typed = (group + [wrong]).joined(separator: " ")
        let elsewhere = commands.filter { $0.words.count > 1 && $0.words.last == wrong }.map(\.name)
        let nearest =
            NearestWord.nearest(to: wrong, among: choices).map { (group + [$0]) }
            .map { $0.joined(separator: " ") } ?? elsewhere.first
        let question = nearest.map { ": did you mean \"\($0)\"?" } ?? ""
        return UsageError("there is no command \"\(typed)\"\(question)")
    }

    private func followers(of group: [String]) -> [String] {
        var words: [String] = []
        for command in commands where command.words.starts(with: group) {
            let word = command.words[group.count]
            if !words.contains(word) { words.append(word) }
        }
        return words
    }

    // MARK: Flags and operands

    private func parse(
        _ arguments: [String],
        of command: CommandSpecification
    ) throws(UsageError) -> ParsedArguments {
        var operands: [String] = []
        var values: [String: ParsedArguments.Value] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                operands.append(argument)
                continue
            }
            let (flag, inline) = try flag(argument, of: command)
            guard values[flag.name] == nil else {
                throw UsageError("--\(flag.name) is given twice", command: command.name)
            }
            values[flag.name] = try value(of: flag, inline: inline, rest: &rest, command)
        }
        try check(operands, of: command)
        return ParsedArguments(specification: command, operands: operands, values: values)
    }

    private func flag(
        _ argument: String,
        of command: CommandSpecification
    ) throws(UsageError) -> (flag: Flag, inline: String?) {
        let pieces = argument.split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(pieces[0].drop { $0 == "-" })
        let inline = pieces.count > 1 ? String(pieces[1]) : nil
        let known = command.allFlags.first { $0.name == name }
        if let known, argument.hasPrefix("--") { return (known, inline) }
        let nearest = NearestWord.nearest(to: name, among: command.allFlags.map(\.name))
        let question = nearest.map { ": did you mean \"--\($0)\"?" } ?? ""
        throw UsageError(
            "\"\(command.name)\" has no flag \"\(pieces[0])\"\(question)", command: command.name)
    }

    private func value(
        of flag: Flag,
        inline: String?,
        rest: inout ArraySlice<String>,
        _ command: CommandSpecification
    ) throws(UsageError) -> ParsedArguments.Value {
        guard let kind = flag.value else {
            guard inline == nil else {
                throw UsageError("--\(flag.name) takes no value", command: command.name)
            }
            return .on
        }
        // A forgotten value must not swallow the flag that follows it.
        let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
        guard let text = inline ?? next, !text.isEmpty else {
            throw UsageError("\(flag.usage): the value is missing", command: command.name)
        }
        if inline == nil { rest.removeFirst() }
        guard let value = Self.value(text, as: kind, now: now) else {
            let expected = Self.expectation(of: kind, given: text)
            throw UsageError(
                "--\(flag.name) \"\(text)\": expected \(expected)", command: command.name)
        }
        return value
    }

    private static func value(
        _ text: String,
        as kind: Flag.Value,
        now: Timestamp
    ) -> ParsedArguments.Value? {
        switch kind {
        case .text:
            return .text(text)
        case .number(let range):
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
                range.contains(number)
            else { return nil }
            return .number(number)
        case .moment:
            return MomentText.moment(text, now: now).map { .moment($0) }
        case .choice(let words):
            return words.contains(text) ? .text(text) : nil
        }
    }

    private static func expectation(of kind: Flag.Value, given text: String) -> String {
        switch kind {
        case .text(let name): name
        case .number(let range): "a whole number, \(range.lowerBound) to \(range.upperBound)"
        case .moment: MomentText.expected
        case .choice(let words):
            "one of " + words.joined(separator: ", ")
                + NearestWord.question(for: text, among: words)
        }
    }

    private func check(
        _ operands: [String],
        of command: CommandSpecification
    ) throws(UsageError) {
        let wanted = command.operands
        if operands.count < wanted.count.lowerBound {
            throw UsageError("\(wanted.usage) is missing", command: command.name)
        }
        if operands.count > wanted.count.upperBound {
            let surplus = operands[wanted.count.upperBound]
            throw UsageError("\"\(surplus)\" is one too many", command: command.name)
        }
    }
}
