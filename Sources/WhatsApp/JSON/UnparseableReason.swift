/// Why the bytes of a webhook are not read at all; such a webhook becomes a dead letter.
public enum UnparseableReason: String, Error, CaseIterable, Sendable, CustomStringConvertible {
    /// The text ends inside a value, or holds no value.
    case truncated
    /// A byte that the grammar of RFC 8259 has no place for.
    case syntax
    /// A control character (U+0000 to U+001F) stands unescaped in a string.
    case controlCharacter
    /// A backslash in a string begins no escape of RFC 8259.
    case badEscape
    /// Not UTF-8: stray or missing continuation bytes, overlong forms, surrogates, above U+10FFFF.
    case invalidUTF8
    /// The text begins with a byte order mark, which RFC 8259 forbids to send.
    case byteOrderMark
    /// More than ``JSONScanner/depthMax`` arrays and objects stand inside each other.
    case tooDeep
    /// Something other than white space follows the value.
    case trailingBytes
    /// The text is JSON, but its value is no object.
    case notAnObject
    /// A key that decides where events go stands twice in one object.
    case repeatedKey
    /// More bytes than ``JSONScanner/byteCountMax``.
    case tooLarge

    /// What is wrong, for a person; says nothing of the body's content.
    public var description: String {
        switch self {
        case .truncated: "the JSON text ends too early"
        case .syntax: "not JSON"
        case .controlCharacter: "a control character stands unescaped in a JSON string"
        case .badEscape: "a JSON string holds an unknown escape"
        case .invalidUTF8: "not UTF-8"
        case .byteOrderMark: "the text begins with a byte order mark"
        case .tooDeep: "nested deeper than \(JSONScanner.depthMax) levels"
        case .trailingBytes: "something follows the JSON text"
        case .notAnObject: "the JSON text is no object"
        case .repeatedKey: "a key of the webhook's envelope is repeated"
        case .tooLarge: "the text is larger than \(JSONScanner.byteCountMax) bytes"
        }
    }
}
