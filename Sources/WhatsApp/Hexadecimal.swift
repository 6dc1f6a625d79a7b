/// Hexadecimal text, without Foundation.
enum Hexadecimal {
    private static let digits: StaticString = "0123456789abcdef"

    /// The value of a lower-case digit; 0xFF for any other byte.
    @inline(__always)
    static func value(ofLowerCase byte: UInt8) -> UInt8 {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x61...0x66: byte &- 0x57
        default: 0xFF
        }
    }

    /// The value of a digit in either case; 0xFF for any other byte.
    @inline(__always)
    static func value(ofAnyCase byte: UInt8) -> UInt8 {
        0x41...0x46 ~= byte ? byte &- 0x37 : value(ofLowerCase: byte)
    }

    /// Appends the two lower-case digits of each byte.
    static func append(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digits.utf8Start[Int(byte >> 4)])
            text.append(digits.utf8Start[Int(byte & 15)])
        }
    }

    /// Two lower-case digits for each byte.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
