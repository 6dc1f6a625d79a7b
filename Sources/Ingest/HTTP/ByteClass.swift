/// The byte classes of RFC 9110 and RFC 3986, each as two 64-bit masks: a test is a shift, and no
/// table has to be initialised or reached through memory.
enum ByteClass {
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A
    static let space: UInt8 = 0x20
    static let tab: UInt8 = 0x09
    static let colon: UInt8 = 0x3A
    static let comma: UInt8 = 0x2C
    static let semicolon: UInt8 = 0x3B
    static let equals: UInt8 = 0x3D
    static let quote: UInt8 = 0x22
    static let backslash: UInt8 = 0x5C
    static let slash: UInt8 = 0x2F
    static let question: UInt8 = 0x3F
    static let asterisk: UInt8 = 0x2A
    static let percent: UInt8 = 0x25
    static let at: UInt8 = 0x40
    static let bracketOpen: UInt8 = 0x5B
    static let bracketClose: UInt8 = 0x5D

    /// `tchar`: what methods and field names are made of.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        has(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// What may stand in a URI, but for `#`: a fragment is never sent to a server.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool {
        has(byte, 0xAFFF_FFF2_0000_0000, 0x47FF_FFFE_AFFF_FFFF)
    }

    /// What a host name may hold (`reg-name`); the percent triples are checked apart.
    @inline(__always)
    static func isHostName(_ byte: UInt8) -> Bool {
        has(byte, 0x2BFF_7FF2_0000_0000, 0x47FF_FFFE_87FF_FFFE)
    }

    /// What may stand in a field value: visible bytes, space, tab, and 0x80 to 0xFF.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == tab
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    @inline(__always)
    private static func has(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        if byte < 64 { return (low &>> UInt64(byte)) & 1 == 1 }
        if byte < 128 { return (high &>> UInt64(byte &- 64)) & 1 == 1 }
        return false
    }
}
