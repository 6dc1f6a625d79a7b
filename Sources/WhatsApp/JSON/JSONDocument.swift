/// A scanned text: its bytes and its tape, read by node index.
///
/// Valid only while the bytes are: it lives inside one split and never leaves it.
struct JSONDocument {
    let bytes: UnsafeBufferPointer<UInt8>
    let tape: JSONTape

    /// The node of the whole text.
    var root: Int { 0 }

    func kind(_ node: Int) -> JSONNode.Kind { tape.nodes[node].kind }

    /// The bytes of a node, quotes and brackets included.
    func range(_ node: Int) -> Range<Int> {
        let node = tape.nodes[node]
        return Int(node.start)..<Int(node.end)
    }

    /// Index of the first node behind this one and everything inside it.
    func next(_ node: Int) -> Int { Int(tape.nodes[node].next) }

    /// The elements of an array; none for any other kind.
    func elements(of node: Int) -> Children {
        Children(nodes: tape.nodes, at: node, stride: 0, matches: .array)
    }

    /// The keys of an object, each followed by its value; none for any other kind.
    func keys(of node: Int) -> Children {
        Children(nodes: tape.nodes, at: node, stride: 1, matches: .object)
    }

    /// The value that belongs to a key.
    func value(ofKey key: Int) -> Int { key + 1 }

    /// Which key this is, its escapes decoded; nil for one that means nothing to us.
    func name(ofKey key: Int) -> KnownKey? {
        withText(of: key) { KnownKey(name: $0) } ?? nil
    }

    /// The value of the first member with this key.
    func member(_ name: KnownKey, of object: Int) -> Int? {
        for key in keys(of: object) where self.name(ofKey: key) == name {
            return value(ofKey: key)
        }
        return nil
    }

    // MARK: Text

    /// Calls `body` with the decoded text of a string or key, or the text of a number.
    ///
    /// - Returns: nil for every other kind of node.
    func withText<R>(of node: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R? {
        let range = self.range(node)
        switch kind(node) {
        case .string, .key:
            let content = range.lowerBound + 1..<range.upperBound - 1
            let slice = UnsafeBufferPointer(rebasing: bytes[content])
            guard tape.nodes[node].hasEscapes else { return body(slice) }
            return JSONText.decode(slice).withUnsafeBufferPointer(body)
        case .number:
            return body(UnsafeBufferPointer(rebasing: bytes[range]))
        case .object, .array, .literal:
            return nil
        }
    }

    /// The decoded text of a string or number that is not empty.
    func text(of node: Int?) -> [UInt8]? {
        guard let node, let text = withText(of: node, { Array($0) }), !text.isEmpty else {
            return nil
        }
        return text
    }

    /// Whether a node is a string (or number) with exactly this decoded text.
    func isText(_ node: Int, equalTo text: StaticString) -> Bool {
        withText(of: node) { text.equals($0) } ?? false
    }

    /// Whether two strings or numbers have the same decoded text; an empty one equals nothing.
    func areEqualTexts(_ left: Int, _ right: Int) -> Bool {
        withText(of: left) { left in
            withText(of: right) { right in
                !left.isEmpty && left.elementsEqual(right)
            } ?? false
        } ?? false
    }
}

extension JSONDocument {
    /// The direct children of a container, by node index.
    struct Children: Sequence, IteratorProtocol {
        private let nodes: [JSONNode]
        private var node: Int
        private let end: Int
        /// 1 where each child is a key, whose value is to be stepped over as well.
        private let stride: Int

        init(nodes: [JSONNode], at container: Int, stride: Int, matches kind: JSONNode.Kind) {
            self.nodes = nodes
            self.stride = stride
            node = container + 1
            end = nodes[container].kind == kind ? Int(nodes[container].next) : node
        }

        mutating func next() -> Int? {
            guard node < end else { return nil }
            defer { node = Int(nodes[node + stride].next) }
            return node
        }
    }
}

/// Turns the inside of a JSON string into the text it stands for.
enum JSONText {
    /// The UTF-8 of a checked string's content; half a surrogate pair becomes U+FFFD.
    static func decode(_ content: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var position = 0
        while position < content.count {
            guard content[position] == ASCII.backslash else {
                text.append(content[position])
                position += 1
                continue
            }
            position += decodeEscape(content, at: position, into: &text)
        }
        return text
    }

    /// - Returns: how many bytes the escape, or the pair of them, took.
    private static func decodeEscape(
        _ content: UnsafeBufferPointer<UInt8>, at offset: Int, into text: inout [UInt8]
    ) -> Int {
        switch content[offset + 1] {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(ASCII.lineFeed)
        case UInt8(ascii: "r"): text.append(ASCII.carriageReturn)
        case UInt8(ascii: "t"): text.append(ASCII.tab)
        case UInt8(ascii: "u"): return decodeCodeUnit(content, at: offset, into: &text)
        default: text.append(content[offset + 1])
        }
        return 2
    }

    private static func decodeCodeUnit(
        _ content: UnsafeBufferPointer<UInt8>, at offset: Int, into text: inout [UInt8]
    ) -> Int {
        let first = UInt32(Escape.codeUnit(in: content, at: offset) ?? 0xFFFD)
        guard Escape.isPair(in: content, at: offset) else {
            let scalar = Unicode.Scalar(first) ?? "\u{FFFD}"
            text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            return 6
        }
        let second = UInt32(Escape.codeUnit(in: content, at: offset + 6) ?? 0xDC00)
        let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        text.append(contentsOf: UTF8.encode(scalar ?? "\u{FFFD}").map(Array.init) ?? [])
        return 12
    }
}
