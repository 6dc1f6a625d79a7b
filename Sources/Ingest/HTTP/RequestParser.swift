/// An incremental HTTP/1.1 request parser: strict, allocation-free, and a pure function of the
/// bytes.
///
/// The caller keeps the bytes of the current request in one place and calls
/// ``advance(over:count:limits:)`` whenever more have arrived. Each byte is looked at once, and a
/// refusal depends on the bytes up to the one that decided it: however the bytes are cut, the
/// outcome is the same. RFC 9112 leaves a server the choice in many places; here it always refuses,
/// because two readings of one message are what request smuggling lives on.
///
///      leading lines ▶ method ▶ target ▶ version ▶ fields ▶ [head] ▶ body │ chunks ▶ trailer ▶
///      [complete]
///
/// A chunked body is decoded in place: the chunks are moved together behind the head, so that a
/// body is one run of bytes whatever its framing was.
struct RequestParser {
    /// What the bytes so far amount to.
    enum Step: Equatable {
        /// All bytes were looked at; the request goes on.
        case needsMore
        /// The head is complete and well formed. Reported once; call again for the body.
        case head
        /// The request is complete and occupies this many bytes; the next one begins behind them.
        case complete(byteCount: Int)
        /// The bytes are no request this server takes. Nothing behind them may be read as one.
        case refused(Refusal)
    }

    /// How one state ended.
    enum Progress: Equatable {
        case next
        case needsMore
        case head
        case complete
        case refused(Refusal)
    }

    enum State: UInt8 {
        case leadingLines, leadingLineFeed
        case method, target, version
        case fieldStart, fieldName, fieldBlank, fieldValue, fieldLineFeed, headLineFeed
        case bodyStart, body
        case chunkSize, chunkExtension, chunkLineFeed, chunkData, chunkDataReturn, chunkDataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, trailerEndLineFeed
    }

    var head = RequestHead()
    var state = State.leadingLines
    /// The field whose value is being read.
    var field = Field.other
    var chunkExtension = ChunkExtension()
    var leadingLineCount: UInt8 = 0
    var chunkDigitCount: UInt8 = 0
    /// The next byte to look at.
    var position = 0
    /// Where the token or value being read began.
    var mark = 0
    /// Where the request line's target stands.
    var target = Span()
    /// Undelivered bytes of the current chunk.
    var chunkBytes: UInt64 = 0
    /// Bytes a chunked body spent on framing, and how many of them on trailers.
    var framingBytes = 0
    var trailerBytes = 0

    /// Nothing but ignorable empty lines has arrived.
    var isBetweenRequests: Bool { state == .leadingLines || state == .leadingLineFeed }

    /// The head was complete and well formed.
    var hasHead: Bool { state.rawValue >= State.bodyStart.rawValue }

    /// The bytes that this request is known to need, counted from its start; 0 while that is
    /// unknown.
    var byteCountKnown: Int {
        guard hasHead, head.contentLength > 0 else { return 0 }
        return Int(head.body.start) + Int(head.contentLength)
    }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - base: the first byte of the request; the same bytes as in the call before, and more.
    ///   - count: how many bytes there are. Decoding a chunked body moves what follows and lowers
    ///     it.
    ///   - limits: the same in each call of one request.
    /// - Returns: what there is now; after a completed or refused request the parser is spent.
    mutating func advance(
        over base: UnsafeMutablePointer<UInt8>,
        count: inout Int,
        limits: HTTPLimits
    ) -> Step {
        while true {
            let progress =
                hasHead
                ? advanceBody(base, count, limits)
                : advanceHead(base, count, limits)
            switch progress {
            case .next: continue
            case .head: return .head
            case .complete: return .complete(byteCount: position)
            case .refused(let refusal): return .refused(refusal)
            case .needsMore:
                closeGap(base, &count)
                return .needsMore
            }
        }
    }

    @inline(__always)
    private mutating func advanceHead(
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        let end = min(count, limits.headBytesMax)
        let progress = headProgress(UnsafePointer(base), end, limits)
        // What did not end within the limit never will.
        if progress == .needsMore && count >= limits.headBytesMax {
            return .refused(.headTooLarge)
        }
        return progress
    }

    @inline(__always)
    private mutating func headProgress(
        _ base: UnsafePointer<UInt8>,
        _ end: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        guard position < end else { return .needsMore }
        switch state {
        case .leadingLines: return readLeadingLine(base, limits)
        case .leadingLineFeed: return readLeadingLineFeed(base)
        case .method: return readMethod(base, end, limits)
        case .target: return readTarget(base, end, limits)
        case .version: return readVersion(base, end)
        case .fieldStart: return readFieldStart(base, limits)
        case .fieldName: return readFieldName(base, end)
        case .fieldBlank: return readFieldBlank(base, end)
        case .fieldValue: return readFieldValue(base, end)
        case .fieldLineFeed: return readFieldLineFeed(base, limits)
        case .headLineFeed: return readHeadLineFeed(base)
        case .bodyStart, .body, .chunkSize, .chunkExtension, .chunkLineFeed, .chunkData,
            .chunkDataReturn, .chunkDataLineFeed, .trailerStart, .trailerName, .trailerValue,
            .trailerLineFeed, .trailerEndLineFeed:
            preconditionFailure("a head does not reach into the body")
        }
    }
}
