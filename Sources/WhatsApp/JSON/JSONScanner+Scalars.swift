// Strings and numbers: the part of the grammar in which single bytes matter.
extension JSONScanner {
    /// Scans a string from its opening quote.
    mutating func scanString(
        as kind: JSONNode.Kind, isRecorded: Bool
    ) throws(UnparseableReason) {
        let start = position
        let count = bytes.count
        var hasEscapes = false
        position += 1
        while position < count {
            let byte = bytes[position]
            // 0x20 to 0x7F, but for the two that mean something: nearly every byte of a webhook.
            if byte &- 0x20 < 0x60, byte != ASCII.quote, byte != ASCII.backslash {
                position &+= 1
                continue
            }
            switch byte {
            case ASCII.quote:
                position += 1
                if isRecorded { record(kind, from: start, hasEscapes: hasEscapes) }
                return
            case ASCII.backslash:
                hasEscapes = true
                try scanEscape()
            case 0..<0x20:
                throw .controlCharacter
            default:
                try scanMultibyte(lead: byte)
            }
        }
        throw .truncated
    }

    private mutating func scanEscape() throws(UnparseableReason) {
        guard position + 1 < bytes.count else { throw .truncated }
        switch bytes[position + 1] {
        case ASCII.quote, ASCII.backslash, ASCII.slash, UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = Escape.codeUnit(in: bytes, at: position) else {
                throw position + 6 > bytes.count ? .truncated : .badEscape
            }
            guard 0xD800...0xDFFF ~= unit else { return position += 6 }
            if Escape.isPair(in: bytes, at: position) {
                position += 12
            } else {
                tape.loneSurrogates.append(position)
                position += 6
            }
        default:
            throw .badEscape
        }
    }

    /// Checks one character of two to four bytes by table 3-7 of the Unicode Standard.
    private mutating func scanMultibyte(lead: UInt8) throws(UnparseableReason) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw .invalidUTF8
        }
        guard position + length <= bytes.count, second ~= bytes[position + 1] else {
            throw .invalidUTF8
        }
        for offset in 2..<length {
            guard 0x80...0xBF ~= bytes[position + offset] else { throw .invalidUTF8 }
        }
        position += length
    }

    /// Scans `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    mutating func scanNumber(isRecorded: Bool) throws(UnparseableReason) {
        let start = position
        if bytes[position] == ASCII.minus { position += 1 }
        let first = try peek()
        guard ASCII.zero...ASCII.nine ~= first else { throw .syntax }
        position += 1
        // A digit behind a leading zero is left for the caller, which finds no separator there.
        if first != ASCII.zero { skipDigits() }
        if position < bytes.count, bytes[position] == ASCII.dot {
            position += 1
            try scanDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try peek()
            if sign == ASCII.plus || sign == ASCII.minus { position += 1 }
            try scanDigits()
        }
        if isRecorded { record(.number, from: start) }
    }

    private mutating func scanDigits() throws(UnparseableReason) {
        guard ASCII.zero...ASCII.nine ~= (try peek()) else { throw .syntax }
        skipDigits()
    }

    private mutating func skipDigits() {
        while position < bytes.count, ASCII.zero...ASCII.nine ~= bytes[position] { position += 1 }
    }
}

/// Reads `\uXXXX`.
enum Escape {
    /// The code unit of the escape whose backslash stands at `offset`; nil where it is none.
    static func codeUnit(in bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> UInt16? {
        guard offset + 6 <= bytes.count, bytes[offset] == ASCII.backslash,
            bytes[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for position in (offset + 2)..<(offset + 6) {
            let digit = Hexadecimal.value(ofAnyCase: bytes[position])
            guard digit < 16 else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Whether a high and then a low surrogate begin at `offset`.
    static func isPair(in bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
        guard let high = codeUnit(in: bytes, at: offset), 0xD800...0xDBFF ~= high,
            let low = codeUnit(in: bytes, at: offset + 6)
        else { return false }
        return 0xDC00...0xDFFF ~= low
    }
}
