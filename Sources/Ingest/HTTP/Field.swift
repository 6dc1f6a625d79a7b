/// The header fields this server reads; all others are checked for their syntax and passed over.
enum Field: UInt8 {
    case other
    case host, contentLength, transferEncoding, connection, expect, contentEncoding
    case signature256, signature1, userAgent, contentType, forwardedFor

    /// Field names are compared without regard to case.
    init(_ name: UnsafeRawBufferPointer) {
        switch name.count {
        case 4: self = name.matches("host") ? .host : .other
        case 6: self = name.matches("expect") ? .expect : .other
        case 10:
            if name.matches("user-agent") {
                self = .userAgent
            } else {
                self = name.matches("connection") ? .connection : .other
            }
        case 12: self = name.matches("content-type") ? .contentType : .other
        case 14: self = name.matches("content-length") ? .contentLength : .other
        case 15:
            if name.matches("x-hub-signature") {
                self = .signature1
            } else {
                self = name.matches("x-forwarded-for") ? .forwardedFor : .other
            }
        case 16: self = name.matches("content-encoding") ? .contentEncoding : .other
        case 17: self = name.matches("transfer-encoding") ? .transferEncoding : .other
        case 19: self = name.matches("x-hub-signature-256") ? .signature256 : .other
        default: self = .other
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Equal to `text` but for the case of letters; `text` is in lower case.
    ///
    /// Setting bit 5 folds letters, and folds no other byte that can stand in a checked field onto
    /// one of `text`: what it would is a control character.
    @inline(__always)
    func matches(_ text: StaticString) -> Bool {
        guard text.utf8CodeUnitCount == count else { return false }
        let expected = text.utf8Start
        var index = 0
        while index < count {
            if self[index] | 0x20 != expected[index] { return false }
            index += 1
        }
        return true
    }

    /// A transfer coding by its form: a name, perhaps with parameters, which are not looked into.
    var isCoding: Bool {
        let name = prefix { $0 != ByteClass.semicolon && !ByteClass.isBlank($0) }
        return !name.isEmpty && name.allSatisfy(ByteClass.isToken)
    }

    /// Without the blanks at both ends.
    var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, ByteClass.isBlank(self[start]) { start += 1 }
        while end > start, ByteClass.isBlank(self[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// Calls `body` with each element of a comma-separated list, trimmed; empty ones too.
    func forEachElement(_ body: (UnsafeRawBufferPointer) -> Void) {
        var start = 0
        var index = 0
        while index <= count {
            if index == count || self[index] == ByteClass.comma {
                body(UnsafeRawBufferPointer(rebasing: self[start..<index]).trimmed)
                start = index + 1
            }
            index += 1
        }
    }
}
