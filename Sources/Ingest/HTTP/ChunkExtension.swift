/// The grammar of chunk extensions, byte by byte: `*( BWS ";" BWS name [ BWS "=" BWS value ] )`.
///
/// Their meaning is ignored. Their form is not: a line break or a control character that one reader
/// takes into an extension and another does not is a way to smuggle a request.
struct ChunkExtension: Equatable {
    enum State: UInt8 {
        case size, beforeName, name, afterName, beforeValue, value, quoted, escaped, afterQuoted,
            afterValue
    }

    private(set) var state = State.size
    private(set) var byteCount: UInt16 = 0

    /// The line may end here.
    var mayEnd: Bool {
        switch state {
        case .size: byteCount == 0
        case .name, .value, .afterQuoted: true
        // Blanks may stand before `;` and `=` alone.
        case .beforeName, .afterName, .beforeValue, .quoted, .escaped, .afterValue: false
        }
    }

    /// - Returns: false where `byte` cannot stand here.
    mutating func take(_ byte: UInt8) -> Bool {
        byteCount &+= 1
        guard let next = successor(byte) else { return false }
        state = next
        return true
    }

    private func successor(_ byte: UInt8) -> State? {
        let isBlank = ByteClass.isBlank(byte)
        let isToken = ByteClass.isToken(byte)
        switch state {
        case .size: return isBlank ? .size : byte == ByteClass.semicolon ? .beforeName : nil
        case .beforeName: return isBlank ? .beforeName : isToken ? .name : nil
        case .name, .afterName:
            if byte == ByteClass.equals { return .beforeValue }
            if byte == ByteClass.semicolon { return .beforeName }
            if isBlank { return .afterName }
            return isToken && state == .name ? .name : nil
        case .beforeValue:
            if isBlank { return .beforeValue }
            return byte == ByteClass.quote ? .quoted : isToken ? .value : nil
        case .value, .afterQuoted, .afterValue:
            if byte == ByteClass.semicolon { return .beforeName }
            if isBlank { return .afterValue }
            return isToken && state == .value ? .value : nil
        case .quoted:
            if byte == ByteClass.quote { return .afterQuoted }
            if byte == ByteClass.backslash { return .escaped }
            return ByteClass.isFieldValue(byte) ? .quoted : nil
        case .escaped: return ByteClass.isFieldValue(byte) ? .quoted : nil
        }
    }
}
