/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[$1]) : 0) }
            for digit in 0..<4 {
                let isPadding = digit > group.count
                text.append(
                    isPadding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * digit) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: `nil` where the text is not what ``encode(_:)`` writes.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        for start in stride(from: 0, to: digits.count, by: 4) {
            let group = digits[start..<start + 4]
            let paddingCount = group.reversed().prefix { $0 == UInt8(ascii: "=") }.count
            guard paddingCount < 3, paddingCount == 0 || start + 4 == digits.count else {
                return nil
            }
            var bits = 0
            for digit in group.dropLast(paddingCount) {
                guard let value = value(of: digit) else { return nil }
                bits = bits << 6 | value
            }
            bits <<= 6 * paddingCount
            for byte in 0..<3 - paddingCount {
                bytes.append(UInt8(truncatingIfNeeded: bits >> (16 - 8 * byte)))
            }
        }
        return encode(bytes) == text ? bytes : nil
    }

    private static func value(of digit: UInt8) -> Int? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(digit) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(digit) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit) - 48 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
