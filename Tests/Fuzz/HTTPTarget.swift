/// The request parser under libFuzzer: however a stream is cut, it is read alike.
///
/// The same stream is read whole, byte by byte, and in random pieces; under the ordinary limits,
/// and under limits so small that every one of them is met.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryRequestParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    var generator = InputGenerator(input)
    for limits in [HTTPLimits(), .tiny] {
        let reader = StreamReader(limits: limits, input: input)
        let whole = reader.outcomes { count }
        require(reader.outcomes { 1 } == whole, "byte by byte is read as the whole is")
        let pieceMax = 1 + generator.number(below: 40)
        let pieces = reader.outcomes { 1 + generator.number(below: pieceMax) }
        require(pieces == whole, "pieces are read as the whole is")
    }
    return 0
}

extension HTTPLimits {
    fileprivate static let tiny = HTTPLimits(
        leadingLineCountMax: 1, methodBytesMax: 8, targetBytesMax: 48, headBytesMax: 220,
        fieldCountMax: 6, bodyBytesMax: 48, chunkExtensionBytesMax: 12, trailerBytesMax: 32,
        framingBytesMin: 48)
}

/// What one request came to.
private enum Outcome: Equatable {
    /// With a fingerprint over everything the head and body are.
    case request(UInt64)
    case refused(Refusal)
    case unfinished
}

/// Feeds a parser the way a connection does: one buffer, pieces appended, decoded in place.
private struct StreamReader {
    let limits: HTTPLimits
    let input: UnsafeBufferPointer<UInt8>

    func outcomes(pieceCount: () -> Int) -> [Outcome] {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: input.count + 1)
        defer { buffer.deallocate() }

        var outcomes: [Outcome] = []
        var parser = RequestParser()
        var (start, end, taken) = (0, 0, 0)
        while taken < input.count {
            let added = min(pieceCount(), input.count - taken)
            for offset in 0..<added { buffer[end + offset] = input[taken + offset] }
            (end, taken) = (end + added, taken + added)
            // A parser that looks behind what has arrived reads this.
            buffer[end] = UInt8(truncatingIfNeeded: taken)
            while start < end {
                var count = end - start
                let step = parser.advance(over: buffer + start, count: &count, limits: limits)
                require(count <= end - start, "decoding makes a body no longer")
                end = start + count
                if step == .needsMore { break }
                switch step {
                case .needsMore, .head: continue
                case .refused(let refusal): return outcomes + [.refused(refusal)]
                case .complete(let byteCount):
                    require(byteCount <= count, "a request ends within what has arrived")
                    outcomes.append(.request(describe(parser, UnsafePointer(buffer + start))))
                    start += byteCount
                    parser = RequestParser()
                }
            }
        }
        return start < end || !parser.isBetweenRequests ? outcomes + [.unfinished] : outcomes
    }

    private func describe(_ parser: RequestParser, _ base: UnsafePointer<UInt8>) -> UInt64 {
        let head = parser.head
        require(Int(head.body.count) <= limits.bodyBytesMax, "a body keeps to its limit")
        require(Int(head.fieldCount) <= limits.fieldCountMax, "fields keep to their limit")
        require(
            head.contentLength < 0 || Int64(head.body.count) == head.contentLength,
            "a counted body has its length")
        require(
            head.contentLength < 0 || !head.marks.contains(.isChunked), "one framing, not two")
        var print = fingerprint([head.method.rawValue, head.minorVersion])
        print = fingerprint(withUnsafeBytes(of: head.marks.rawValue, Array.init), from: print)
        for span in [
            head.path, head.query, head.signature256, head.signature1, head.userAgent,
            head.contentType, head.forwardedFor, head.body,
        ] {
            print = fingerprint([UInt8(truncatingIfNeeded: span.count)], from: print)
            print = fingerprint(span.bytes(at: base), from: print)
        }
        return print
    }
}
