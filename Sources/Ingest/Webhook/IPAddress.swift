import Glibc

/// An IPv6 address, or an IPv4 one in its mapped form (`::ffff:a.b.c.d`), so that both compare
/// alike.
struct IPAddress: Hashable, Sendable {
    private static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(version4 bits: UInt32) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(bits))
    }

    init(_ address: in6_addr) {
        let (high, low) = withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(high: high, low: low)
    }

    /// Reads the text of an address, without a port or brackets.
    init?(_ text: UnsafeRawBufferPointer) {
        if let bits = Self.version4(text) {
            self.init(version4: bits)
            return
        }
        // Longer than any address, or with a zone that means nothing on another machine.
        guard 2...45 ~= text.count else { return nil }
        let parsed = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { copy in
            for index in 0..<text.count { copy[index] = CChar(bitPattern: text[index]) }
            copy[text.count] = 0
            var address = in6_addr()
            let isAddress = inet_pton(AF_INET6, copy.baseAddress, &address) == 1
            return isAddress && !text.contains(0) ? IPAddress(address) : nil
        }
        guard let parsed else { return nil }
        self = parsed
    }

    var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Four decimal numbers without leading zeros, which some readers take for octal ones.
    private static func version4(_ text: UnsafeRawBufferPointer) -> UInt32? {
        guard 7...15 ~= text.count else { return nil }
        var bits: UInt32 = 0
        var part: UInt32 = 0
        var digitCount = 0
        var partCount = 1
        for byte in text {
            if byte == 0x2E {
                guard digitCount > 0, partCount < 4 else { return nil }
                bits = bits << 8 | part
                (part, digitCount, partCount) = (0, 0, partCount + 1)
            } else {
                guard ByteClass.isDigit(byte), digitCount < 3, digitCount == 0 || part > 0 else {
                    return nil
                }
                part = part * 10 + UInt32(byte &- 0x30)
                digitCount += 1
                guard part <= 255 else { return nil }
            }
        }
        return partCount == 4 && digitCount > 0 ? bits << 8 | part : nil
    }
}

/// The text of a peer's address, kept with the connection: room for any IPv6 address.
struct AddressText {
    static let byteCountMax = 46

    private(set) var bytes = InlineArray<46, UInt8>(repeating: 0)
    private(set) var count: UInt8 = 0

    init() {}

    init(_ address: IPAddress) {
        var text = [CChar](repeating: 0, count: Self.byteCountMax)
        if address.isVersion4 {
            var raw = in_addr(s_addr: UInt32(truncatingIfNeeded: address.low).bigEndian)
            inet_ntop(AF_INET, &raw, &text, socklen_t(text.count))
        } else {
            var raw = (address.high.bigEndian, address.low.bigEndian)
            inet_ntop(AF_INET6, &raw, &text, socklen_t(text.count))
        }
        for (index, character) in text.prefix(while: { $0 != 0 }).enumerated() {
            bytes[index] = UInt8(bitPattern: character)
            count += 1
        }
    }
}
