/// The field lines of a head, and what they mean together.
extension RequestParser {
    mutating func readFieldStart(
        _ base: UnsafePointer<UInt8>,
        _ limits: HTTPLimits
    ) -> Progress {
        let byte = base[position]
        if byte == ByteClass.carriageReturn {
            position += 1
            state = .headLineFeed
            return .next
        }
        if ByteClass.isBlank(byte) { return .refused(.fieldFolded) }
        guard ByteClass.isToken(byte) else { return .refused(.fieldName) }
        guard Int(head.fieldCount) < limits.fieldCountMax else { return .refused(.fieldsTooMany) }
        head.fieldCount += 1
        mark = position
        state = .fieldName
        return .next
    }

    mutating func readFieldName(_ base: UnsafePointer<UInt8>, _ end: Int) -> Progress {
        while position < end, ByteClass.isToken(base[position]) { position += 1 }
        guard position < end else { return .needsMore }
        guard base[position] == ByteClass.colon else { return .refused(.fieldName) }
        field = Field(UnsafeRawBufferPointer(start: base + mark, count: position - mark))
        position += 1
        mark = position
        state = .fieldBlank
        return .next
    }

    mutating func readFieldBlank(_ base: UnsafePointer<UInt8>, _ end: Int) -> Progress {
        while position < end, ByteClass.isBlank(base[position]) { position += 1 }
        guard position < end else { return .needsMore }
        mark = position
        state = .fieldValue
        return .next
    }

    mutating func readFieldValue(_ base: UnsafePointer<UInt8>, _ end: Int) -> Progress {
        while position < end, ByteClass.isFieldValue(base[position]) { position += 1 }
        guard position < end else { return .needsMore }
        guard base[position] == ByteClass.carriageReturn else { return .refused(.fieldValue) }
        position += 1
        state = .fieldLineFeed
        return .next
    }

    mutating func readFieldLineFeed(
        _ base: UnsafePointer<UInt8>,
        _ limits: HTTPLimits
    ) -> Progress {
        guard base[position] == ByteClass.lineFeed else { return .refused(.fieldValue) }
        var end = position - 1
        while end > mark, ByteClass.isBlank(base[end - 1]) { end -= 1 }
        position += 1
        state = .fieldStart
        if field == .other { return .next }
        if let refusal = take(Span(mark, to: end), base, limits) { return .refused(refusal) }
        return .next
    }

    /// Reads the value of one field this server cares about.
    private mutating func take(
        _ span: Span,
        _ base: UnsafePointer<UInt8>,
        _ limits: HTTPLimits
    ) -> Refusal? {
        let value = span.bytes(at: base)
        switch field {
        case .other: return nil
        case .host:
            guard once(.host), Authority.isValid(value) else { return .host }
            return nil
        case .contentLength: return takeContentLength(value, limits)
        case .transferEncoding: return takeTransferEncoding(value)
        case .connection:
            takeConnection(value)
            return nil
        case .expect:
            return takeExpectation(value)
        case .contentEncoding:
            head.marks.insert(.contentEncoding)
            return nil
        case .signature256:
            if !once(.signature256) { head.marks.insert(.signature256Repeated) }
            head.signature256 = span
            return nil
        case .signature1:
            head.signature1 = span
            return once(.signature1) ? nil : .fieldRepeated
        case .userAgent:
            head.userAgent = span
            return once(.userAgent) ? nil : .fieldRepeated
        case .contentType:
            head.contentType = span
            return once(.contentType) ? nil : .fieldRepeated
        case .forwardedFor:
            head.forwardedForCount += 1
            head.forwardedFor = span
            return nil
        }
    }

    private mutating func once(_ mark: RequestHead.Marks) -> Bool {
        head.marks.insert(mark).inserted
    }

    /// Digits alone, at most 19, at most once: `+5`, `5, 5` and a second line are refused.
    private mutating func takeContentLength(
        _ value: UnsafeRawBufferPointer,
        _ limits: HTTPLimits
    ) -> Refusal? {
        if !head.marks.isDisjoint(with: [.isChunked, .otherCoding]) { return .framingConflict }
        guard head.contentLength < 0, 1...19 ~= value.count else { return .contentLength }
        var length: UInt64 = 0
        for byte in value {
            guard ByteClass.isDigit(byte) else { return .contentLength }
            // Nineteen digits stay below 2^64.
            length = length &* 10 &+ UInt64(byte &- 0x30)
        }
        guard length <= UInt64(Int64.max) else { return .contentLength }
        guard length <= UInt64(limits.bodyBytesMax) else { return .bodyTooLarge }
        head.contentLength = Int64(length)
        return nil
    }

    /// Exactly one `chunked`; what stands before it is judged when the head is complete.
    ///
    /// RFC 9112, 6.1: chunked is applied once and last, in HTTP/1.1 alone. An empty element, which
    /// other lists forgive (RFC 9110, 5.6.1), is refused: not every reader forgives it here.
    private mutating func takeTransferEncoding(_ value: UnsafeRawBufferPointer) -> Refusal? {
        if head.minorVersion == 0 || head.marks.contains(.isChunked) { return .transferEncoding }
        if head.contentLength >= 0 { return .framingConflict }
        if value.matches("chunked") {
            head.marks.insert(.isChunked)
            return nil
        }
        var refusal: Refusal?
        var marks = head.marks
        value.forEachElement { element in
            if marks.contains(.isChunked) || !element.isCoding { refusal = .transferEncoding }
            marks.insert(element.matches("chunked") ? .isChunked : .otherCoding)
        }
        head.marks = marks
        return refusal
    }

    /// `100-continue`, however often; RFC 9110, 10.1.1 knows no other.
    private mutating func takeExpectation(_ value: UnsafeRawBufferPointer) -> Refusal? {
        var marks = head.marks
        var isKnown = true
        value.forEachElement { element in
            if element.isEmpty { return }
            if element.matches("100-continue") {
                marks.insert(.expectsContinue)
            } else {
                isKnown = false
            }
        }
        head.marks = marks
        return isKnown ? nil : .expectation
    }

    private mutating func takeConnection(_ value: UnsafeRawBufferPointer) {
        var marks = head.marks
        value.forEachElement { element in
            if element.matches("close") { marks.insert(.closes) }
            if element.matches("keep-alive") { marks.insert(.keepsAlive) }
        }
        head.marks = marks
    }

    mutating func readHeadLineFeed(_ base: UnsafePointer<UInt8>) -> Progress {
        guard base[position] == ByteClass.lineFeed else { return .refused(.fieldName) }
        position += 1
        // HTTP/1.0 knows no Host field.
        if head.minorVersion == 1 && !head.marks.contains(.host) { return .refused(.host) }
        if head.marks.contains(.otherCoding) {
            // RFC 9112, 6.3: without chunked at the end the body's end cannot be told.
            let endsChunked = head.marks.contains(.isChunked)
            return .refused(endsChunked ? .transferCoding : .transferEncoding)
        }
        head.body = Span(position, to: position)
        state = .bodyStart
        return .head
    }
}
