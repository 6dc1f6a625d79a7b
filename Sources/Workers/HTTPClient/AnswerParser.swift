/// Reads one answer, whichever way its bytes are cut (RFC 9112, sections 4 to 7).
///
/// Pure, and strict: what is ambiguous is no answer, since a connection that is read on after it
/// could take the next answer's bytes for this one's. Nothing grows with what a server sends.
struct AnswerParser: Sendable {
    /// What the bytes so far come to.
    enum Reading: Equatable, Sendable {
        case needsMore
        /// Whole, or as much of it as is wanted; `isReusable`: another request may follow.
        case complete(HTTPAnswer, isReusable: Bool)
        /// No answer by the rules, or one beyond the limits.
        case malformed
    }

    /// Longest head that is read, informational ones (1xx) counted together.
    static let headByteCountMax = 32_768

    private enum State: Sendable {
        case head
        case length(rest: Int)
        case chunked(ChunkReader)
        case untilEnd
        case over
    }

    private let limits: HTTPLimits
    private var state = State.head
    private var headBytes: [UInt8] = []
    private var headByteCount = 0
    private var head = AnswerHead()
    private var body: [UInt8] = []
    private var bodyByteCount = 0
    /// Whether any byte of an answer has come.
    private(set) var hasBegun = false

    init(limits: HTTPLimits) { self.limits = limits }

    /// Takes in the bytes that follow.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> Reading {
        if !bytes.isEmpty { hasBegun = true }
        var rest = bytes
        if case .head = state {
            let reading = takeHead(&rest)
            guard case .head = state else { return reading ?? takeBody(&rest) }
            return reading ?? .needsMore
        }
        return takeBody(&rest)
    }

    /// Says that the server has ended the connection.
    mutating func end() -> Reading {
        guard case .untilEnd = state else { return .malformed }
        return complete(isReusable: false)
    }

    // MARK: Head

    /// - Returns: nil while nothing is decided.
    private mutating func takeHead(_ rest: inout ArraySlice<UInt8>) -> Reading? {
        while let byte = rest.popFirst() {
            headBytes.append(byte)
            headByteCount += 1
            guard headByteCount <= Self.headByteCountMax else { return .malformed }
            guard byte == 10, headBytes.count >= 4, headBytes.suffix(4) == [13, 10, 13, 10] else {
                continue
            }
            guard let read = AnswerHead(headBytes.dropLast(2)) else { return .malformed }
            headBytes.removeAll(keepingCapacity: true)
            if (100..<200).contains(read.status) {
                // 101 is an answer to a question that was never asked.
                guard read.status != 101 else { return .malformed }
                continue
            }
            head = read
            return beginBody(rest)
        }
        return nil
    }

    private mutating func beginBody(_ rest: ArraySlice<UInt8>) -> Reading? {
        if head.status == 204 || head.status == 304 {
            return complete(isReusable: head.keepsConnection && rest.isEmpty)
        }
        switch head.framing {
        case .length(0): return complete(isReusable: head.keepsConnection && rest.isEmpty)
        case .length(let count): state = .length(rest: count)
        case .chunked: state = .chunked(ChunkReader())
        case .untilEnd: state = .untilEnd
        }
        return nil
    }

    // MARK: Body

    private mutating func takeBody(_ rest: inout ArraySlice<UInt8>) -> Reading {
        switch state {
        case .head, .over:
            return .malformed
        case .length(let missing):
            let part = rest.prefix(missing)
            rest = rest.dropFirst(part.count)
            keep(part)
            state = .length(rest: missing - part.count)
            if part.count == missing {
                return complete(isReusable: head.keepsConnection && rest.isEmpty)
            }
        case .untilEnd:
            keep(rest)
        case .chunked(var reader):
            let reading = reader.take(&rest) { keep($0) }
            state = .chunked(reader)
            switch reading {
            case .needsMore: break
            case .malformed: return .malformed
            case .complete:
                return complete(isReusable: head.keepsConnection && rest.isEmpty)
            }
        }
        // An answer without end: its status counts, the connection is given up.
        return bodyByteCount > limits.answerBytesMax ? complete(isReusable: false) : .needsMore
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        bodyByteCount += bytes.count
        body += bytes.prefix(max(0, limits.answerBytesKept - body.count))
    }

    private mutating func complete(isReusable: Bool) -> Reading {
        state = .over
        let answer = HTTPAnswer(
            status: head.status, retryAfter: head.retryAfter, contentType: head.contentType,
            body: body)
        return .complete(answer, isReusable: isReusable)
    }
}

/// The chunked coding of a body (RFC 9112, 7.1); extensions and trailers are passed over.
struct ChunkReader: Sendable {
    enum Reading: Equatable, Sendable {
        case needsMore, complete, malformed
    }

    private enum State: Sendable {
        case size
        case sizeEnd
        case data(Int)
        case dataReturn
        case dataEnd
        case trailer
        case over
    }

    /// Longest size line and longest trailer section.
    static let lineByteCountMax = 4_096

    private var state = State.size
    private var size = 0
    private var digitCount = 0
    private var hasExtension = false
    private var lineByteCount = 0
    private var trailerLine: [UInt8] = []

    /// Takes what it can of `rest`, and hands the data on.
    mutating func take(
        _ rest: inout ArraySlice<UInt8>, data: (ArraySlice<UInt8>) -> Void
    ) -> Reading {
        while !rest.isEmpty {
            if case .data(let missing) = state {
                let part = rest.prefix(missing)
                rest = rest.dropFirst(part.count)
                data(part)
                state = part.count == missing ? .dataReturn : .data(missing - part.count)
                continue
            }
            guard let byte = rest.popFirst(), take(byte) else { return .malformed }
            if case .over = state { return .complete }
        }
        return .needsMore
    }

    /// - Returns: whether the byte may stand there.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch state {
        case .size:
            return takeSize(byte)
        case .sizeEnd:
            lineByteCount = 0
            state = size == 0 ? .trailer : .data(size)
            return byte == 10
        case .dataReturn:
            state = .dataEnd
            return byte == 13
        case .dataEnd:
            (state, size, digitCount, hasExtension) = (.size, 0, 0, false)
            return byte == 10
        case .trailer:
            return takeTrailer(byte)
        case .data, .over:
            return false
        }
    }

    private mutating func takeSize(_ byte: UInt8) -> Bool {
        lineByteCount += 1
        guard lineByteCount <= Self.lineByteCountMax else { return false }
        if byte == 13 {
            state = .sizeEnd
            return digitCount > 0
        }
        if hasExtension { return byte >= 32 && byte != 127 || byte == 9 }
        if let digit = Self.digit(byte) {
            digitCount += 1
            size = size << 4 | digit
            return digitCount <= 15
        }
        hasExtension = byte == UInt8(ascii: ";") || byte == 32 || byte == 9
        return hasExtension && digitCount > 0
    }

    private mutating func takeTrailer(_ byte: UInt8) -> Bool {
        lineByteCount += 1
        trailerLine.append(byte)
        guard byte == 10 else { return lineByteCount <= Self.lineByteCountMax }
        guard trailerLine.suffix(2) == [13, 10] else { return false }
        if trailerLine.count == 2 { state = .over }
        trailerLine.removeAll(keepingCapacity: true)
        return true
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 55
        default: nil
        }
    }
}
