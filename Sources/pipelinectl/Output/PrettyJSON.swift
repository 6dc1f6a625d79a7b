/// Breaks a JSON text into lines for people, without reading it: strings stay as they were written.
///
/// What is no JSON comes out broken at the same characters, and nothing of it is lost.
enum PrettyJSON {
    /// Deeper levels are not indented further, so that hostile nesting costs no memory.
    private static let indentMax = 32

    static func indented(_ text: String) -> String {
        var result = ""
        var depth = 0
        var isInString = false
        var isEscaped = false
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if isInString {
                result.unicodeScalars.append(scalar)
                if isEscaped {
                    isEscaped = false
                } else if scalar == "\\" {
                    isEscaped = true
                } else if scalar == "\"" {
                    isInString = false
                }
                previous = scalar
                continue
            }
            guard scalar != " ", scalar != "\n", scalar != "\r", scalar != "\t" else { continue }
            append(scalar, after: previous, depth: &depth, to: &result)
            isInString = scalar == "\""
            previous = scalar
        }
        return result
    }

    private static func append(
        _ scalar: Unicode.Scalar,
        after previous: Unicode.Scalar,
        depth: inout Int,
        to result: inout String
    ) {
        let opens: Set<Unicode.Scalar> = ["{", "["]
        switch scalar {
        case "}", "]":
            depth = max(0, depth - 1)
            if !opens.contains(previous) { breakLine(depth, in: &result) }
            result.unicodeScalars.append(scalar)
        case ":":
            result += ": "
        default:
            if opens.contains(previous) { breakLine(depth, in: &result) }
            result.unicodeScalars.append(scalar)
            if scalar == "," { breakLine(depth, in: &result) }
            if opens.contains(scalar) { depth += 1 }
        }
    }

    private static func breakLine(_ depth: Int, in result: inout String) {
        result += "\n" + String(repeating: "  ", count: min(depth, indentMax))
    }
}
