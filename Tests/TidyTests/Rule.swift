import Foundation

/// One thing this repository keeps to, as a pure function of a file.
struct Rule: Sendable, CustomStringConvertible {
    let name: String
    let findings: @Sendable (SourceFile) -> [Finding]

    var description: String { name }

    /// A rule over each match of `pattern` in the code of Swift files that `applies` to.
    ///
    /// Comments, strings and raw identifiers are not code.
    static func code(
        _ name: String,
        bans pattern: String,
        because message: String,
        where applies: @escaping @Sendable (SourceFile) -> Bool = { _ in true }
    ) -> Rule {
        Rule(name: name) { file in
            guard file.isSwift, applies(file) else { return [] }
            return matches(of: pattern, in: SwiftText(file.text).codeText)
                .map { Finding(path: file.path, line: $0.line, message: message) }
        }
    }

    /// A rule over each match of `pattern` in the whole text of files that `applies` to.
    static func text(
        _ name: String,
        bans pattern: String,
        because message: String,
        where applies: @escaping @Sendable (SourceFile) -> Bool = { _ in true }
    ) -> Rule {
        Rule(name: name) { file in
            guard applies(file) else { return [] }
            return matches(of: pattern, in: file.text)
                .map { Finding(path: file.path, line: $0.line, message: message) }
        }
    }
}

/// A match with its line, counted from 1, and its groups; a group that took no part is empty.
struct PatternMatch {
    let line: Int
    let groups: [String]
}

/// Every match of `pattern` in `text`; `^` and `$` stand at each line.
func matches(of pattern: String, in text: String) -> [PatternMatch] {
    guard
        let expression = try? NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
    else { preconditionFailure("not a regular expression: \(pattern)") }
    let whole = text as NSString
    var line = 1
    var counted = 0
    return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map {
        let before = NSRange(location: counted, length: $0.range.location - counted)
        line += whole.substring(with: before).utf8.count { $0 == UInt8(ascii: "\n") }
        counted = $0.range.location
        let match = $0
        let groups = (0..<match.numberOfRanges).map { index -> String in
            let range = match.range(at: index)
            return range.location == NSNotFound ? "" : whole.substring(with: range)
        }
        return PatternMatch(line: line, groups: groups)
    }
}
