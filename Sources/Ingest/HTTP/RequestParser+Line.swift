/// The request line: exactly `method SP target SP HTTP/1.x CRLF`.
extension RequestParser {
    mutating func readLeadingLine(
        _ base: UnsafePointer<UInt8>,
        _ limits: HTTPLimits
    ) -> Progress {
        guard base[position] == ByteClass.carriageReturn else {
            mark = position
            state = .method
            return .next
        }
        guard Int(leadingLineCount) < limits.leadingLineCountMax else {
            return .refused(.emptyLines)
        }
        leadingLineCount += 1
        position += 1
        state = .leadingLineFeed
        return .next
    }

    mutating func readLeadingLineFeed(_ base: UnsafePointer<UInt8>) -> Progress {
        guard base[position] == ByteClass.lineFeed else { return .refused(.requestLine) }
        position += 1
        state = .leadingLines
        return .next
    }

    mutating func readMethod(
        _ base: UnsafePointer<UInt8>,
        _ end: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        let stop = min(end, mark + limits.methodBytesMax + 1)
        while position < stop, ByteClass.isToken(base[position]) { position += 1 }
        if position - mark > limits.methodBytesMax { return .refused(.methodTooLong) }
        guard position < end else { return .needsMore }
        guard base[position] == ByteClass.space, position > mark else {
            return .refused(.requestLine)
        }
        head.method = Method(base + mark, count: position - mark)
        position += 1
        mark = position
        state = .target
        return .next
    }

    mutating func readTarget(
        _ base: UnsafePointer<UInt8>,
        _ end: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        let stop = min(end, mark + limits.targetBytesMax + 1)
        while position < stop, ByteClass.isTarget(base[position]) { position += 1 }
        if position - mark > limits.targetBytesMax { return .refused(.targetTooLong) }
        guard position < end else { return .needsMore }
        guard base[position] == ByteClass.space, position > mark else {
            return .refused(.target)
        }
        target = Span(mark, to: position)
        position += 1
        mark = position
        state = .version
        return .next
    }

    mutating func readVersion(_ base: UnsafePointer<UInt8>, _ end: Int) -> Progress {
        while position < end {
            guard isVersion(base[position], at: position - mark) else {
                return .refused(.requestLine)
            }
            position += 1
            if position - mark == 10 { return finishRequestLine(base) }
        }
        return .needsMore
    }

    /// `HTTP/` DIGIT `.` DIGIT CR LF, byte by byte.
    private func isVersion(_ byte: UInt8, at index: Int) -> Bool {
        switch index {
        case 0: byte == 0x48
        case 1, 2: byte == 0x54
        case 3: byte == 0x50
        case 4: byte == ByteClass.slash
        case 5, 7: ByteClass.isDigit(byte)
        case 6: byte == 0x2E
        case 8: byte == ByteClass.carriageReturn
        default: byte == ByteClass.lineFeed
        }
    }

    private mutating func finishRequestLine(_ base: UnsafePointer<UInt8>) -> Progress {
        let minor = base[mark + 7] &- 0x30
        guard base[mark + 5] == 0x31, minor <= 1 else { return .refused(.version) }
        head.minorVersion = minor
        guard let form = TargetForm(target, of: head.method, in: base) else {
            return .refused(.target)
        }
        head.path = form.path
        head.query = form.query
        state = .fieldStart
        return .next
    }
}

extension Method {
    /// Methods are case-sensitive: `get` is none.
    init(_ name: UnsafePointer<UInt8>, count: Int) {
        func `is`(_ other: StaticString) -> Bool {
            other.utf8CodeUnitCount == count && bytesAreEqual(name, other.utf8Start, count)
        }
        switch count {
        case 3: self = `is`("GET") ? .get : `is`("PUT") ? .put : .unknown
        case 4: self = `is`("POST") ? .post : `is`("HEAD") ? .head : .unknown
        case 5: self = `is`("PATCH") ? .patch : `is`("TRACE") ? .trace : .unknown
        case 6: self = `is`("DELETE") ? .delete : .unknown
        case 7: self = `is`("OPTIONS") ? .options : `is`("CONNECT") ? .connect : .unknown
        default: self = .unknown
        }
    }
}

@inline(__always)
func bytesAreEqual(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int)
    -> Bool
{
    var index = 0
    while index < count {
        if left[index] != right[index] { return false }
        index += 1
    }
    return true
}
