/// Things worth saying about one thing, a line each: a name, and words for people.
struct Facts: Sendable {
    private(set) var lines: [(name: String, text: String, tone: Tone)] = []

    mutating func add(_ name: String, _ text: String, _ tone: Tone = .ordinary) {
        lines.append((name, text, tone))
    }

    /// Names in one column, what is said of them in the next.
    func aligned(colour: Bool) -> String {
        let width = lines.map(\.name.count).max() ?? 0
        return lines.map { name, text, tone in
            let gap = String(repeating: " ", count: width - name.count + 2)
            let words = tone.painted(HostileText.line(text), colour: colour)
            return Tone.faint.painted(name, colour: colour) + gap + words + "\n"
        }.joined()
    }
}

extension JSONValue {
    /// One line for each value inside: its keys joined by dots, a tab, the value.
    ///
    /// What a pipe gets of a single thing, so that `cut` and `awk` can read what `--json` says.
    var plainLines: String {
        var lines = ""
        appendPlainLines(under: "", to: &lines)
        return lines
    }

    private func appendPlainLines(under path: String, to lines: inout String) {
        switch self {
        case .object(let members):
            for member in members {
                let key = path.isEmpty ? member.key : path + "." + member.key
                member.value.appendPlainLines(under: key, to: &lines)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                element.appendPlainLines(under: "\(path).\(index)", to: &lines)
            }
        case .null: lines += path + "\t\n"
        case .string(let string): lines += path + "\t" + HostileText.line(string) + "\n"
        case .bool, .int, .number: lines += path + "\t" + text + "\n"
        }
    }
}
