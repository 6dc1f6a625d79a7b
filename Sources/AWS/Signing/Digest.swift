import CCrypto

/// SHA-256 and HMAC-SHA256 of small things, by libcrypto.
enum Digest {
    /// The 32 bytes of SHA-256.
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let result = SHA256(bytes, bytes.count, &digest)
        precondition(result != nil, "libcrypto could not make a SHA-256")
        return digest
    }

    /// The 32 bytes of HMAC-SHA256.
    static func hmac(_ text: String, key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var byteCount: UInt32 = 0
        let message = Array(text.utf8)
        let result = HMAC(
            EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &byteCount)
        precondition(result != nil && byteCount == 32, "libcrypto could not make an HMAC")
        return digest
    }

    /// Of no bytes at all; 64 hex digits.
    static let emptyHex = hex(sha256([]))

    /// Two lower-case digits a byte.
    static func hex(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(lowerDigits[Int(byte >> 4)])
            text.append(lowerDigits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of hex digits in either case; nil for anything else.
    static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static let lowerDigits = Array("0123456789abcdef".utf8)

    /// The value of one hex digit.
    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
