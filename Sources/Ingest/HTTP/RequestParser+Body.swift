/// The body: counted, or in chunks that are moved together as they are read.
extension RequestParser {
    @inline(__always)
    mutating func advanceBody(
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        if state == .bodyStart { return startBody() }
        if state == .body { return readBody(count) }
        guard position < count else { return .needsMore }
        if state == .chunkData { return readChunkData(base, count) }
        let progress = readFraming(UnsafePointer(base), count, limits)
        if framingBytes > limits.framingBytesMin + 2 * Int(head.body.count) {
            return .refused(.chunkOverhead)
        }
        return progress
    }

    private mutating func startBody() -> Progress {
        if head.marks.contains(.isChunked) {
            state = .chunkSize
            return .next
        }
        guard head.contentLength > 0 else { return .complete }
        state = .body
        return .next
    }

    private mutating func readBody(_ count: Int) -> Progress {
        let end = Int(head.body.start) + Int(head.contentLength)
        position = min(count, end)
        guard position == end else { return .needsMore }
        head.body = Span(Int(head.body.start), to: end)
        return .complete
    }

    private mutating func readChunkData(
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) -> Progress {
        let available = Int(min(chunkBytes, UInt64(count - position)))
        (base + head.body.end).update(from: base + position, count: available)
        head.body.count += Int32(available)
        position += available
        chunkBytes -= UInt64(available)
        if chunkBytes == 0 { state = .chunkDataReturn }
        return .next
    }

    /// One byte of framing; nothing here is hot, since sensible chunks are thousands of bytes long.
    private mutating func readFraming(
        _ base: UnsafePointer<UInt8>,
        _ count: Int,
        _ limits: HTTPLimits
    ) -> Progress {
        let byte = base[position]
        position += 1
        framingBytes += 1
        switch state {
        case .chunkSize: return readChunkSize(byte, limits)
        case .chunkExtension: return readChunkExtension(byte, limits)
        case .chunkLineFeed:
            guard byte == ByteClass.lineFeed else { return .refused(.chunk) }
            state = chunkBytes == 0 ? .trailerStart : .chunkData
            return .next
        case .chunkDataReturn:
            guard byte == ByteClass.carriageReturn else { return .refused(.chunk) }
            state = .chunkDataLineFeed
            return .next
        case .chunkDataLineFeed:
            guard byte == ByteClass.lineFeed else { return .refused(.chunk) }
            state = .chunkSize
            chunkDigitCount = 0
            chunkExtension = ChunkExtension()
            return .next
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .trailerEndLineFeed:
            return readTrailer(byte, limits)
        case .leadingLines, .leadingLineFeed, .method, .target, .version, .fieldStart, .fieldName,
            .fieldBlank, .fieldValue, .fieldLineFeed, .headLineFeed, .bodyStart, .body, .chunkData:
            preconditionFailure("these states have no framing byte")
        }
    }

    private mutating func readChunkSize(_ byte: UInt8, _ limits: HTTPLimits) -> Progress {
        guard let digit = ByteClass.hexValue(byte) else {
            guard chunkDigitCount > 0 else { return .refused(.chunk) }
            state = .chunkExtension
            return readChunkExtension(byte, limits)
        }
        // Sixteen digits fill 64 bits, and no more are read.
        guard chunkDigitCount < 16 else { return .refused(.chunk) }
        chunkDigitCount += 1
        chunkBytes = chunkBytes &<< 4 | UInt64(digit)
        return .next
    }

    private mutating func readChunkExtension(_ byte: UInt8, _ limits: HTTPLimits) -> Progress {
        guard byte == ByteClass.carriageReturn else {
            guard chunkExtension.take(byte),
                Int(chunkExtension.byteCount) <= limits.chunkExtensionBytesMax
            else { return .refused(.chunk) }
            return .next
        }
        guard chunkExtension.mayEnd else { return .refused(.chunk) }
        let room = UInt64(limits.bodyBytesMax - Int(head.body.count))
        guard chunkBytes <= room else { return .refused(.bodyTooLarge) }
        state = .chunkLineFeed
        return .next
    }

    /// Trailers have the syntax of header fields and no effect: what they say is discarded.
    private mutating func readTrailer(_ byte: UInt8, _ limits: HTTPLimits) -> Progress {
        trailerBytes += 1
        guard trailerBytes <= limits.trailerBytesMax else { return .refused(.trailerTooLarge) }
        switch state {
        case .trailerStart:
            if byte == ByteClass.carriageReturn {
                state = .trailerEndLineFeed
            } else {
                guard ByteClass.isToken(byte) else {
                    return .refused(ByteClass.isBlank(byte) ? .fieldFolded : .fieldName)
                }
                state = .trailerName
            }
        case .trailerName:
            if byte == ByteClass.colon {
                state = .trailerValue
            } else if !ByteClass.isToken(byte) {
                return .refused(.fieldName)
            }
        case .trailerValue:
            if byte == ByteClass.carriageReturn {
                state = .trailerLineFeed
            } else if !ByteClass.isFieldValue(byte) {
                return .refused(.fieldValue)
            }
        case .trailerLineFeed:
            guard byte == ByteClass.lineFeed else { return .refused(.fieldValue) }
            state = .trailerStart
        case .trailerEndLineFeed:
            return byte == ByteClass.lineFeed ? .complete : .refused(.fieldName)
        case .leadingLines, .leadingLineFeed, .method, .target, .version, .fieldStart, .fieldName,
            .fieldBlank, .fieldValue, .fieldLineFeed, .headLineFeed, .bodyStart, .body, .chunkSize,
            .chunkExtension, .chunkLineFeed, .chunkData, .chunkDataReturn, .chunkDataLineFeed:
            preconditionFailure("these states are before the trailer")
        }
        return .next
    }

    /// Moves unread bytes up to the decoded ones, so that framing takes no memory.
    mutating func closeGap(_ base: UnsafeMutablePointer<UInt8>, _ count: inout Int) {
        guard head.marks.contains(.isChunked), hasHead, position > head.body.end else { return }
        (base + head.body.end).update(from: base + position, count: count - position)
        count -= position - head.body.end
        position = head.body.end
    }
}
