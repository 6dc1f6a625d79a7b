/// `host[:port]`, the value of a Host field and the middle of an absolute target.
enum Authority {
    /// An empty host is valid in a Host field, where it says that the target had none.
    static func isValid(_ bytes: UnsafeRawBufferPointer, portIsRequired: Bool = false) -> Bool {
        var hostCount = 0
        if bytes.first == ByteClass.bracketOpen {
            guard let close = bytes.firstIndex(of: ByteClass.bracketClose) else { return false }
            guard isLiteral(UnsafeRawBufferPointer(rebasing: bytes[1..<close])) else {
                return false
            }
            hostCount = close + 1
        } else {
            while hostCount < bytes.count, ByteClass.isHostName(bytes[hostCount]) { hostCount += 1 }
            let host = UnsafeRawBufferPointer(rebasing: bytes[..<hostCount])
            guard PercentTriples.areWellFormed(host) else { return false }
        }
        if hostCount == bytes.count { return !portIsRequired }
        guard hostCount > 0, bytes[hostCount] == ByteClass.colon else { return false }
        let port = UnsafeRawBufferPointer(rebasing: bytes[(hostCount + 1)...])
        return isPort(port) && !(portIsRequired && port.isEmpty)
    }

    /// Digits up to 65535; none at all is valid.
    private static func isPort(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var port = 0
        for byte in bytes {
            guard ByteClass.isDigit(byte) else { return false }
            port = port * 10 + Int(byte &- 0x30)
            guard port <= 65_535 else { return false }
        }
        return true
    }

    /// What stands between brackets: an IPv6 address, or the reserved form for later versions.
    private static func isLiteral(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return false }
        if first | 0x20 == 0x76 { return isLaterLiteral(bytes) }
        return bytes.contains(ByteClass.colon) && IPAddress(bytes) != nil
    }

    /// IPvFuture of RFC 3986: `v1.x`.
    private static func isLaterLiteral(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 1
        while index < bytes.count, ByteClass.hexValue(bytes[index]) != nil { index += 1 }
        guard index > 1, index + 1 < bytes.count, bytes[index] == 0x2E else { return false }
        return bytes[(index + 1)...].allSatisfy {
            $0 == ByteClass.colon || ($0 != ByteClass.percent && ByteClass.isHostName($0))
        }
    }
}
