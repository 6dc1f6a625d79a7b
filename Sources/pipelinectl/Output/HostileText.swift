/// Text that strangers wrote, made fit for a terminal: nothing in it can move the cursor, change a
/// colour, forge a line, or turn the direction of what follows.
enum HostileText {
    /// Control characters, invisible characters, and those that change the direction of text.
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F,
            0xFEFF:
            true
        default:
            false
        }
    }

    /// `\u001b`, which JSON reads as the character itself.
    static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }

    /// The text in one line: a tab or a line break in it is written out too.
    static func line(_ text: String) -> String {
        escaped(text) { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            default: escape(scalar)
            }
        }
    }

    /// The text with its own line breaks.
    static func lines(_ text: String) -> String {
        escaped(text) { $0 == "\n" ? "\n" : escape($0) }
    }

    private static func escaped(
        _ text: String,
        _ replacement: (Unicode.Scalar) -> String
    ) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) {
                result += replacement(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
