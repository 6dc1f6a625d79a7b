extension RouteTable {
    /// Longest file of routes.
    private static let byteCountMax = 1 << 20

    /// Reads the file that `ROUTES` names.
    ///
    /// - Returns: nil where the key is not given, and after a problem, which names the lines.
    public static func read(_ reader: inout ConfigurationReader) -> RouteTable? {
        guard let path = reader.optionalString(.routes) else { return nil }
        let content: [UInt8]
        do throws(SystemError) {
            content = try SmallFile.read(path, byteCountMax: byteCountMax)
        } catch {
            reader.problem(.routes, value: path, expected: "a file that can be read (\(error))")
            return nil
        }
        let (table, problems) = parse(String(decoding: content, as: UTF8.self))
        guard problems.isEmpty else {
            reader.problem(.routes, value: path, expected: problems.joined(separator: "; "))
            return nil
        }
        return table
    }

    /// Reads the text of a file of routes.
    ///
    /// - Returns: what could be read, and what is wrong, each with its line.
    public static func parse(_ text: String) -> (table: RouteTable, problems: [String]) {
        var table = RouteTable()
        var problems: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(RouteProblem) {
                try table.read(first, Array(words.dropFirst()))
            } catch {
                problems.append("line \(index + 1): \(error.text)")
            }
        }
        if table.destinations.count + table.rules.count > lineCountMax {
            problems.append("at most \(lineCountMax) lines")
        }
        return (table, problems)
    }

    private mutating func read(_ word: String, _ words: [String]) throws(RouteProblem) {
        switch word {
        case "destination": destinations.append(try destination(words))
        case "route": rules.append(try rule(words))
        default: throw RouteProblem(text: "begins with destination or route, not \(word)")
        }
    }

    private func destination(_ words: [String]) throws(RouteProblem) -> Destination {
        guard words.count >= 2 else {
            throw RouteProblem(text: "destination NAME URL")
        }
        let name = words[0]
        let isName =
            name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            } && name.utf8.count <= Self.nameByteCountMax
        guard isName, !["default", "drop", "dead"].contains(name) else {
            throw RouteProblem(
                text: "a name of a-z, 0-9 and -, other than default, drop and dead")
        }
        guard !destinations.contains(where: { $0.name == name }) else {
            throw RouteProblem(text: "the destination \(name) stands there twice")
        }
        if let expected = Self.problem(ofURL: words[1]) {
            throw RouteProblem(text: "expected \(expected)")
        }
        var destination = Destination(name: name, url: words[1])
        for word in words.dropFirst(2) { try set(word, of: &destination) }
        return destination
    }

    private func set(_ word: String, of destination: inout Destination) throws(RouteProblem) {
        let (key, value) = try Self.pair(word)
        switch key {
        case "concurrency":
            destination.concurrencyMax = DecimalText.number(value.utf8)
            guard destination.concurrencyMax.map({ (1...1_000).contains($0) }) ?? false else {
                throw RouteProblem(text: "concurrency=1 to 1000")
            }
        case "rate":
            destination.ratePerSecondMax = DecimalText.number(value.utf8)
            guard destination.ratePerSecondMax.map({ $0 <= 100_000 }) ?? false else {
                throw RouteProblem(text: "rate=0 (no limit) to 100000")
            }
        case "timeout":
            let range = Duration.milliseconds(100) ... .seconds(3_600)
            destination.answerDurationMax = DecimalText.duration(value)
            guard destination.answerDurationMax.map({ range.contains($0) }) ?? false else {
                throw RouteProblem(text: "timeout=100ms to 1h")
            }
        case "headers":
            guard value == "yes" || value == "no" else {
                throw RouteProblem(text: "headers=yes or headers=no")
            }
            destination.takesHeaders = value == "yes"
        default:
            throw RouteProblem(text: "knows concurrency, rate, timeout and headers, not \(key)")
        }
    }

    private func rule(_ words: [String]) throws(RouteProblem) -> Rule {
        guard let last = words.last, !last.contains("=") else {
            throw RouteProblem(text: "route [phone=ID,ID] [field=NAME,NAME] DESTINATION")
        }
        var rule = Rule(target: try target(last))
        for word in words.dropLast() {
            let (key, value) = try Self.pair(word)
            let values = Set(value.split(separator: ",").map(String.init))
            switch key {
            case "phone" where rule.phoneNumberIDs.isEmpty: rule.phoneNumberIDs = values
            case "field" where rule.fields.isEmpty: rule.fields = values
            default: throw RouteProblem(text: "knows phone and field, each once, not \(word)")
            }
        }
        return rule
    }

    private func target(_ word: String) throws(RouteProblem) -> Target {
        switch word {
        case "default": return .byDefault
        case "drop": return .drop
        case "dead": return .dead
        default:
            guard destinations.contains(where: { $0.name == word }) else {
                throw RouteProblem(text: "no destination \(word) stands above")
            }
            return .destination(word)
        }
    }

    private static func pair(_ word: String) throws(RouteProblem) -> (String, String) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[1].contains(where: { $0 != "," }) else {
            throw RouteProblem(text: "expected KEY=VALUE, not \(word)")
        }
        return (parts[0], parts[1])
    }
}

/// What is wrong with one line.
private struct RouteProblem: Error {
    let text: String
}
