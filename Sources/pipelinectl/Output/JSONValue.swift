/// A JSON text to be written: keys keep the order in which they are given.
///
/// One shape per thing, so that scripts can rely on it: a key that has nothing to say is `null`,
/// not missing.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    /// Written with three digits behind the point at most; what is not finite is `null`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key with its value.
    struct Member: Equatable, Sendable {
        let key: String
        let value: JSONValue
    }

    /// `null` where there is no text.
    static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// `null` where there is no number.
    static func optional(_ number: Int?) -> JSONValue { number.map { .int($0) } ?? .null }

    /// `null` where there is no number.
    static func optional(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }

    /// `null` where it is not known.
    static func optional(_ bool: Bool?) -> JSONValue { bool.map { .bool($0) } ?? .null }

    /// The text in one line, without white space (RFC 8259).
    var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .int(let number): text += String(number)
        case .number(let number): text += Self.text(number)
        case .string(let string): Self.write(string, to: &text)
        case .array(let elements): write(elements, to: &text)
        case .object(let members): write(members, to: &text)
        }
    }

    private static func text(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "null" }
        let rounded = (number * 1_000).rounded() / 1_000
        return rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)"
    }

    private func write(_ elements: [JSONValue], to text: inout String) {
        text += "["
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            element.write(to: &text)
        }
        text += "]"
    }

    private func write(_ members: [Member], to text: inout String) {
        text += "{"
        for (index, member) in members.enumerated() {
            if index > 0 { text += "," }
            Self.write(member.key, to: &text)
            text += ":"
            member.value.write(to: &text)
        }
        text += "}"
    }

    /// Escapes what RFC 8259 demands, and what could act on a terminal that shows the text.
    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if HostileText.isHidden(scalar) {
                    text += HostileText.escape(scalar)
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    init(stringLiteral text: String) { self = .string(text) }
    init(integerLiteral number: Int) { self = .int(number) }
    init(booleanLiteral bool: Bool) { self = .bool(bool) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(nilLiteral: ()) { self = .null }
    init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(members.map { Member(key: $0, value: $1) })
    }
}
