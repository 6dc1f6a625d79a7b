import Base

/// One line of the lake: a status with where and when it came from in front.
public enum StatusLine {
    /// Appends the line of a status and its newline.
    ///
    /// The object's keys and values stand as WhatsApp sent them, escapes included; only white space
    /// outside strings goes, so that a line holds no other newline. An escape that is half of a
    /// surrogate pair becomes `\ufffd`: query engines refuse a whole file for one. Where WhatsApp
    /// itself uses one of our keys, ours is left out.
    ///
    /// - Parameters:
    ///   - status: from a split of exactly these bytes.
    ///   - body: the webhook's bytes.
    ///   - receivedAt: when the webhook was received.
    ///   - line: what the line is appended to.
    /// - Returns: whether an escape was replaced.
    public static func append(
        _ status: Status, of body: [UInt8], receivedAt: Timestamp, to line: inout [UInt8]
    ) -> Bool {
        body.withUnsafeBufferPointer { body in
            var writer = StatusLineWriter(body: body, status: status, line: line)
            // The writer must hold the only reference, or it copies all lines so far.
            line = []
            defer { line = writer.line }

            writer.write(receivedAt: receivedAt)
            return writer.hasReplaced
        }
    }
}

private struct StatusLineWriter {
    let body: UnsafeBufferPointer<UInt8>
    let status: Status
    var line: [UInt8]
    var hasReplaced = false
    private var isFirstKey = true

    init(body: UnsafeBufferPointer<UInt8>, status: Status, line: [UInt8]) {
        self.body = body
        self.status = status
        self.line = line
    }

    mutating func write(receivedAt: Timestamp) {
        if appendKey("\"event_key\":", unless: .eventKey) {
            append("\"")
            status.key.append(to: &line)
            append("\"")
        }
        if appendKey("\"received_at\":", unless: .receivedAt) {
            append("\"")
            line.append(contentsOf: receivedAt.rfc3339.utf8)
            append("\"")
        }
        appendMember("\"waba_id\":", status.wabaID, unless: .wabaID)
        appendMember("\"phone_number_id\":", status.phoneNumberID, unless: .phoneNumberID)
        appendMember(
            "\"display_phone_number\":", status.displayPhoneNumber, unless: .displayPhoneNumber
        )
        appendMember("\"contact\":", status.contact, unless: .contact)
        appendObject()
    }

    /// - Returns: false, and nothing appended, where WhatsApp uses the key itself.
    private mutating func appendKey(_ key: StaticString, unless own: Status.OwnKeys) -> Bool {
        guard !status.ownKeys.contains(own) else { return false }
        append(isFirstKey ? "{" : ",")
        append(key)
        isFirstKey = false
        return true
    }

    private mutating func appendMember(
        _ key: StaticString, _ value: Range<Int>?, unless own: Status.OwnKeys
    ) {
        guard let value, appendKey(key, unless: own) else { return }
        appendCompact(value)
    }

    /// Appends the members of the object and the closing brace, then the newline.
    private mutating func appendObject() {
        let members = status.object.lowerBound + 1..<status.object.upperBound
        let isEmpty = body[members].first { $0 > ASCII.space } == ASCII.closeBrace
        if isFirstKey || !isEmpty { append(isFirstKey ? "{" : ",") }
        appendCompact(members)
        append("\n")
    }

    private mutating func append(_ text: StaticString) {
        line.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// Appends bytes of the body without the white space outside strings.
    private mutating func appendCompact(_ range: Range<Int>) {
        guard status.hasWhiteSpace || status.hasLoneSurrogate else {
            line.append(contentsOf: UnsafeBufferPointer(rebasing: body[range]))
            return
        }
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = body[position]
            if byte == ASCII.quote {
                position = appendString(at: position)
            } else {
                if byte > ASCII.space { line.append(byte) }
                position += 1
            }
        }
    }

    /// Appends one string of checked JSON.
    ///
    /// - Returns: the offset behind its closing quote.
    private mutating func appendString(at start: Int) -> Int {
        var copied = start
        var position = start + 1
        while body[position] != ASCII.quote {
            guard body[position] == ASCII.backslash else {
                position += 1
                continue
            }
            if Escape.isPair(in: body, at: position) {
                position += 12
            } else if let unit = Escape.codeUnit(in: body, at: position), 0xD800...0xDFFF ~= unit {
                line.append(contentsOf: UnsafeBufferPointer(rebasing: body[copied..<position]))
                append("\\ufffd")
                hasReplaced = true
                position += 6
                copied = position
            } else {
                position += 2
            }
        }
        line.append(contentsOf: UnsafeBufferPointer(rebasing: body[copied...position]))
        return position + 1
    }
}
