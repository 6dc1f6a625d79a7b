@testable import Ingest

/// What a parser made of a stream of bytes, for comparing one way of cutting it with another.
enum Parsed: Equatable {
    case request(String, path: String, query: String, body: [UInt8])
    case refused(Refusal)
    /// The stream ended within a request, or between two.
    case unfinished
}

/// Feeds a parser the way a connection does: one buffer, pieces appended, decoded in place.
struct ParserHarness {
    var limits = HTTPLimits()

    /// What the stream is when one piece ends and the next begins at each of `cuts`.
    func parse(_ stream: [UInt8], cuts: [Int]) -> [Parsed] {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: stream.count + 1)
        defer { buffer.deallocate() }

        var outcomes: [Parsed] = []
        var parser = RequestParser()
        var start = 0
        var end = 0
        for (from, to) in zip([0] + cuts, cuts + [stream.count]) {
            for index in from..<to { buffer[end + index - from] = stream[index] }
            end += to - from
            while true {
                var count = end - start
                let step = parser.advance(over: buffer + start, count: &count, limits: limits)
                end = start + count
                if step == .needsMore { break }
                switch step {
                case .needsMore, .head: continue
                case .refused(let refusal): return outcomes + [.refused(refusal)]
                case .complete(let byteCount):
                    outcomes.append(describe(parser.head, UnsafePointer(buffer + start)))
                    start += byteCount
                    parser = RequestParser()
                }
                if start == end { break }
            }
        }
        return start < end || !parser.isBetweenRequests ? outcomes + [.unfinished] : outcomes
    }

    func parse(_ stream: String) -> [Parsed] { parse(Array(stream.utf8), cuts: []) }

    /// Whole, byte by byte, and cut in two at every offset; nil where any of them differ.
    func parseEveryWay(_ stream: [UInt8]) -> [Parsed]? {
        let whole = parse(stream, cuts: [])
        guard parse(stream, cuts: Array(stream.indices.dropFirst())) == whole else { return nil }
        for cut in stream.indices.dropFirst() where parse(stream, cuts: [cut]) != whole {
            return nil
        }
        return whole
    }

    private func describe(_ head: RequestHead, _ base: UnsafePointer<UInt8>) -> Parsed {
        .request(
            "\(head.method)",
            path: String(decoding: head.path.bytes(at: base), as: UTF8.self),
            query: String(decoding: head.query.bytes(at: base), as: UTF8.self),
            body: Array(head.body.bytes(at: base))
        )
    }
}
