/// One element of an answer: its name without a prefix, its text, and the elements in it.
struct XMLElement: Equatable, Sendable {
    let name: String
    /// Character data directly inside it, references resolved.
    var text = ""
    var children: [XMLElement] = []

    /// The text of the first child of that name; nil where there is none.
    func text(_ name: String) -> String? { children.first { $0.name == name }?.text }

    /// Every child of that name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Reads the small XML that Amazon's services answer with.
///
/// No document types, no entities but the five that are built in: what else an attacker could write
/// is refused. Attributes are passed over. Not a validator.
struct XMLScanner {
    private static let depthMax = 32

    private let bytes: [UInt8]
    private var offset = 0

    /// - Returns: the root element; nil for what is no such XML.
    static func root(of bytes: [UInt8]) -> XMLElement? {
        var scanner = XMLScanner(bytes: bytes)
        guard scanner.skipProlog(), let root = scanner.element(depth: 0) else { return nil }
        return root
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard offset + count <= bytes.count,
            (0..<count).allSatisfy({ bytes[offset + $0] == text.utf8Start[$0] })
        else { return false }
        offset += count
        return true
    }

    /// Passes over everything up to `text`, and over it.
    private mutating func skip(past text: StaticString) -> Bool {
        while offset < bytes.count {
            if take(text) { return true }
            offset += 1
        }
        return false
    }

    /// Byte-order mark, declaration, comments and white space before the root.
    private mutating func skipProlog() -> Bool {
        _ = take("\u{FEFF}")
        while offset < bytes.count {
            if take("<?") {
                guard skip(past: "?>") else { return false }
            } else if take("<!--") {
                guard skip(past: "-->") else { return false }
            } else if Self.isSpace(bytes[offset]) {
                offset += 1
            } else {
                return bytes[offset] == UInt8(ascii: "<")
            }
        }
        return false
    }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth < Self.depthMax, take("<"), let name = name() else { return nil }
        guard let isEmpty = skipAttributes() else { return nil }
        var element = XMLElement(name: name)
        if isEmpty { return element }
        var text: [UInt8] = []
        while offset < bytes.count {
            if take("</") {
                guard self.name() == name, skip(past: ">") else { return nil }
                guard let whole = String(validating: text, as: UTF8.self) else { return nil }
                element.text = whole
                return element
            } else if take("<!--") {
                guard skip(past: "-->") else { return nil }
            } else if take("<![CDATA[") {
                let start = offset
                guard skip(past: "]]>") else { return nil }
                text += bytes[start..<offset - 3]
            } else if bytes[offset] == UInt8(ascii: "<") {
                guard let child = self.element(depth: depth + 1) else { return nil }
                element.children.append(child)
            } else if take("&") {
                guard let character = reference() else { return nil }
                text += Array(String(character).utf8)
            } else {
                text.append(bytes[offset])
                offset += 1
            }
        }
        return nil
    }

    /// A name without its prefix.
    private mutating func name() -> String? {
        var name: [UInt8] = []
        while offset < bytes.count, !Self.endsName(bytes[offset]) {
            name.append(bytes[offset])
            offset += 1
            if name.last == UInt8(ascii: ":") { name = [] }
        }
        return name.isEmpty ? nil : String(validating: name, as: UTF8.self)
    }

    /// - Returns: whether the element ends with its tag; nil where the tag has no end.
    private mutating func skipAttributes() -> Bool? {
        while offset < bytes.count {
            let byte = bytes[offset]
            if take("/>") { return true }
            if take(">") { return false }
            offset += 1
            if byte == UInt8(ascii: "\"") {
                guard skip(past: "\"") else { return nil }
            } else if byte == UInt8(ascii: "'") {
                guard skip(past: "'") else { return nil }
            }
        }
        return nil
    }

    private mutating func reference() -> Unicode.Scalar? {
        let start = offset
        guard skip(past: ";"), offset - start <= 12 else { return nil }
        let text = String(decoding: bytes[start..<offset - 1], as: UTF8.self)
        switch text {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard text.hasPrefix("#") else { return nil }
            let isHex = text.hasPrefix("#x")
            let digits = text.dropFirst(isHex ? 2 : 1)
            guard digits.utf8.allSatisfy({ Digest.value($0) != nil }) else { return nil }
            return UInt32(digits, radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        isSpace(byte) || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "<")
    }
}
