/// An answer to an HTTP/1.1 request.
struct HTTPAnswer: Equatable, Sendable {
    /// 200 to 599; 1xx answers are passed over.
    let status: Int
    let body: [UInt8]
    /// Whether another request may follow on the same connection.
    let keepsConnection: Bool

    /// Longest head, and longest body, that are read.
    static let headBytesMax = 65_536
    static let bodyBytesMax = 16 * 1_048_576

    /// What the bytes received so far come to.
    enum Reading: Equatable {
        case needsMore
        /// Complete; this many bytes belong to it and to what was passed over before it.
        case complete(HTTPAnswer, byteCount: Int)
        /// No HTTP answer, or one beyond the limits.
        case malformed
    }

    /// Reads an answer from the start of `bytes`; tolerant, since it is our own server's.
    ///
    /// `isAtEnd`: the other side has sent all it had. `isBodiless`: the request was HEAD.
    static func read(_ bytes: [UInt8], isAtEnd: Bool, isBodiless: Bool = false) -> Reading {
        guard let headEnd = headEnd(in: bytes) else {
            return isAtEnd || bytes.count > headBytesMax ? .malformed : .needsMore
        }
        guard let head = Head(bytes[..<headEnd]) else { return .malformed }
        if (100..<200).contains(head.status) {
            let rest = read(Array(bytes[headEnd...]), isAtEnd: isAtEnd, isBodiless: isBodiless)
            guard case .complete(let answer, let count) = rest else { return rest }
            return .complete(answer, byteCount: headEnd + count)
        }
        let framing =
            isBodiless || head.status == 204 || head.status == 304
            ? .length(0) : head.framing
        return read(framing, of: head, in: bytes, from: headEnd, isAtEnd: isAtEnd)
    }

    private static func read(
        _ framing: Framing,
        of head: Head,
        in bytes: [UInt8],
        from start: Int,
        isAtEnd: Bool
    ) -> Reading {
        let rest = bytes[start...]
        switch framing {
        case .length(let count):
            guard count <= bodyBytesMax else { return .malformed }
            guard rest.count >= count else { return isAtEnd ? .malformed : .needsMore }
            let answer = HTTPAnswer(
                status: head.status, body: Array(rest.prefix(count)),
                keepsConnection: head.keepsConnection)
            return .complete(answer, byteCount: start + count)
        case .untilEnd:
            guard rest.count <= bodyBytesMax else { return .malformed }
            guard isAtEnd else { return .needsMore }
            let answer = HTTPAnswer(
                status: head.status, body: Array(rest), keepsConnection: false)
            return .complete(answer, byteCount: bytes.count)
        case .chunked:
            switch Chunks.read(rest) {
            case .needsMore: return isAtEnd ? .malformed : .needsMore
            case .malformed: return .malformed
            case .complete(let body, let end):
                let answer = HTTPAnswer(
                    status: head.status, body: body, keepsConnection: head.keepsConnection)
                return .complete(answer, byteCount: end)
            }
        }
    }

    private static func headEnd(in bytes: [UInt8]) -> Int? {
        var offset = 0
        while offset + 3 < min(bytes.count, headBytesMax) {
            if bytes[offset] == 13, bytes[offset + 1] == 10, bytes[offset + 2] == 13,
                bytes[offset + 3] == 10
            {
                return offset + 4
            }
            offset += 1
        }
        return nil
    }

    /// How the end of a body is known.
    private enum Framing {
        case length(Int)
        case chunked
        case untilEnd
    }

    private struct Head {
        let status: Int
        var framing = Framing.untilEnd
        var keepsConnection = true

        init?(_ bytes: ArraySlice<UInt8>) {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
            let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].count == 3,
                let status = Int(words[1]), (100...599).contains(status)
            else { return nil }
            self.status = status
            for line in lines.dropFirst() {
                let parts = line.split(
                    separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                let value = parts[1].drop { $0 == " " || $0 == "\t" }.lowercased()
                guard note(parts[0].lowercased(), value) else { return nil }
            }
        }

        private mutating func note(_ name: String, _ value: String) -> Bool {
            switch name {
            case "content-length":
                guard let count = Int(value), count >= 0 else { return false }
                if case .untilEnd = framing { framing = .length(count) }
            case "transfer-encoding":
                guard value == "chunked" else { return false }
                framing = .chunked
            case "connection":
                if value.contains("close") { keepsConnection = false }
            default: break
            }
            return true
        }
    }
}

/// The chunked coding of a body (RFC 9112, section 7.1); extensions and trailers are passed over.
private enum Chunks {
    enum Reading {
        case needsMore
        case malformed
        case complete([UInt8], end: Int)
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
        var body: [UInt8] = []
        var offset = bytes.startIndex
        while true {
            guard let line = line(in: bytes, from: offset) else { return .needsMore }
            let digits = line.text.prefix { $0 != ";" && $0 != " " }
            guard let count = Int(digits, radix: 16), count >= 0,
                body.count + count <= HTTPAnswer.bodyBytesMax
            else { return .malformed }
            offset = line.end
            guard count > 0 else { break }
            guard bytes.endIndex - offset >= count + 2 else { return .needsMore }
            body += bytes[offset..<offset + count]
            offset += count + 2
        }
        while true {
            guard let trailer = line(in: bytes, from: offset) else { return .needsMore }
            offset = trailer.end
            if trailer.text.isEmpty { return .complete(body, end: offset) }
        }
    }

    private static func line(
        in bytes: ArraySlice<UInt8>,
        from start: Int
    ) -> (text: String, end: Int)? {
        var offset = start
        while offset + 1 < bytes.endIndex {
            if bytes[offset] == 13, bytes[offset + 1] == 10 {
                return (String(decoding: bytes[start..<offset], as: UTF8.self), offset + 2)
            }
            offset += 1
        }
        return nil
    }
}
