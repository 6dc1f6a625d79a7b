/// Checks a text against the grammar of RFC 8259 and records where its values stand.
///
/// Strict: no byte order mark, no trailing comma, no comment, no bare word, nothing behind the
/// value, UTF-8 without overlong forms or surrogates, no control character inside a string. An
/// escape that is half of a surrogate pair is grammar, so it is accepted, and noted on the tape.
/// Numbers stay text. One pass, linear time, the stack bounded by ``depthMax``.
struct JSONScanner {
    /// Arrays and objects that may stand inside each other.
    static let depthMax = 64
    /// Levels that leave nodes: `entry[].changes[].value.statuses[]` and the keys of such a status.
    static let recordedDepthMax = 8
    /// Offsets on the tape have 32 bits.
    static let byteCountMax = Int(Int32.max)

    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    var tape: JSONTape

    /// Scans one whole text.
    ///
    /// - Parameters:
    ///   - bytes: the text.
    ///   - tape: emptied and filled; its content means nothing after an error.
    /// - Throws: the first fault in the text.
    static func scan(
        _ bytes: UnsafeBufferPointer<UInt8>, into tape: inout JSONTape
    ) throws(UnparseableReason) {
        guard bytes.count <= byteCountMax else { throw .tooLarge }
        var scanner = JSONScanner(bytes: bytes, tape: JSONTape())
        swap(&scanner.tape, &tape)
        defer { swap(&scanner.tape, &tape) }

        scanner.tape.removeAll()
        try scanner.scanText()
    }

    private mutating func scanText() throws(UnparseableReason) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw .byteOrderMark
        }
        skipWhiteSpace()
        try scanValue(depth: 0)
        skipWhiteSpace()
        guard position == bytes.count else { throw .trailingBytes }
    }

    // `depth`: how many arrays and objects are open around the value.
    private mutating func scanValue(depth: Int) throws(UnparseableReason) {
        switch try peek() {
        case ASCII.quote: try scanString(as: .string, isRecorded: depth <= Self.recordedDepthMax)
        case ASCII.openBrace: try scanObject(depth: depth)
        case ASCII.openBracket: try scanArray(depth: depth)
        case UInt8(ascii: "t"): try scanLiteral("true", depth: depth)
        case UInt8(ascii: "f"): try scanLiteral("false", depth: depth)
        case UInt8(ascii: "n"): try scanLiteral("null", depth: depth)
        default: try scanNumber(isRecorded: depth <= Self.recordedDepthMax)
        }
    }

    private mutating func scanObject(depth: Int) throws(UnparseableReason) {
        guard depth < Self.depthMax else { throw .tooDeep }
        let node = open(.object, depth: depth)
        position += 1
        skipWhiteSpace()
        if try peek() == ASCII.closeBrace { return close(node) }
        while true {
            guard try peek() == ASCII.quote else { throw .syntax }
            try scanString(as: .key, isRecorded: depth < Self.recordedDepthMax)
            skipWhiteSpace()
            guard try peek() == ASCII.colon else { throw .syntax }
            position += 1
            skipWhiteSpace()
            try scanValue(depth: depth + 1)
            skipWhiteSpace()
            let separator = try peek()
            if separator == ASCII.closeBrace { return close(node) }
            guard separator == ASCII.comma else { throw .syntax }
            position += 1
            skipWhiteSpace()
        }
    }

    private mutating func scanArray(depth: Int) throws(UnparseableReason) {
        guard depth < Self.depthMax else { throw .tooDeep }
        let node = open(.array, depth: depth)
        position += 1
        skipWhiteSpace()
        if try peek() == ASCII.closeBracket { return close(node) }
        while true {
            try scanValue(depth: depth + 1)
            skipWhiteSpace()
            let separator = try peek()
            if separator == ASCII.closeBracket { return close(node) }
            guard separator == ASCII.comma else { throw .syntax }
            position += 1
            skipWhiteSpace()
        }
    }

    private mutating func scanLiteral(_ text: StaticString, depth: Int) throws(UnparseableReason) {
        let start = position
        for offset in 0..<text.utf8CodeUnitCount {
            guard try peek() == text.utf8Start[offset] else { throw .syntax }
            position += 1
        }
        if depth <= Self.recordedDepthMax { record(.literal, from: start) }
    }

    // MARK: The tape

    /// Begins a container at the current byte; its end and successor are filled in by
    /// ``close(_:)``.
    private mutating func open(_ kind: JSONNode.Kind, depth: Int) -> Int? {
        guard depth <= Self.recordedDepthMax else { return nil }
        record(kind, from: position)
        return tape.nodes.count - 1
    }

    private mutating func close(_ node: Int?) {
        position += 1
        guard let node else { return }
        tape.nodes[node].end = UInt32(truncatingIfNeeded: position)
        tape.nodes[node].next = UInt32(truncatingIfNeeded: tape.nodes.count)
    }

    /// Notes a value that ends at the current position and holds no other.
    mutating func record(_ kind: JSONNode.Kind, from start: Int, hasEscapes: Bool = false) {
        tape.nodes.append(
            JSONNode(
                start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: position),
                next: UInt32(truncatingIfNeeded: tape.nodes.count + 1),
                kind: kind,
                hasEscapes: hasEscapes
            )
        )
    }

    // MARK: Bytes

    @inline(__always)
    func peek() throws(UnparseableReason) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    @inline(__always)
    private mutating func skipWhiteSpace() {
        // Every byte up to the space is white space or an error that the caller finds.
        guard position < bytes.count, bytes[position] <= ASCII.space else { return }
        while position < bytes.count {
            switch bytes[position] {
            case ASCII.space, ASCII.lineFeed, ASCII.carriageReturn, ASCII.tab: position += 1
            default: return
            }
            tape.hasWhiteSpace = true
        }
    }
}
