/// Text from outside, made fit for one line: nothing in it can end, forge or hide a line.
enum SafeText {
    /// Longest text shown of one value; the rest is cut off and an ellipsis put in its place.
    static let byteCountMax = 1_024

    /// Appends the text with control characters, quotes and backslashes escaped as JSON does.
    static func appendEscaped(_ text: some StringProtocol, to line: inout String) {
        var byteCount = 0
        for scalar in text.unicodeScalars {
            byteCount += scalar.utf8.count
            guard byteCount <= byteCountMax else {
                line += "…"
                return
            }
            append(scalar, to: &line)
        }
    }

    /// Appends the text in quotes, escaped.
    static func appendQuoted(_ text: some StringProtocol, to line: inout String) {
        line += "\""
        appendEscaped(text, to: &line)
        line += "\""
    }

    /// Appends the text as it is where that is unmistakable, in quotes otherwise.
    static func appendQuotedIfNeeded(_ text: some StringProtocol, to line: inout String) {
        let isPlain =
            !text.isEmpty && text.utf8.count <= byteCountMax
            && text.unicodeScalars.allSatisfy { scalar in
                scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\"
                    && !isHidden(scalar)
            }
        guard isPlain else { return appendQuoted(text, to: &line) }
        line += text
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout String) {
        switch scalar {
        case "\"": line += "\\\""
        case "\\": line += "\\\\"
        case "\n": line += "\\n"
        case "\r": line += "\\r"
        case "\t": line += "\\t"
        default:
            guard isHidden(scalar) else { return line.unicodeScalars.append(scalar) }
            let digits = String(scalar.value, radix: 16)
            line += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
    }

    /// Control characters, line and paragraph separators, and what turns the direction of text.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F,
            0xFEFF:
            true
        default:
            false
        }
    }
}
