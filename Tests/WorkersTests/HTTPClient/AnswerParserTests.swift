import Base
import TestSupport
import Testing

@testable import Workers

/// Answers of servers that mean well, and of those that do not.
@Suite struct AnswerParserTests {
    /// What an answer comes to, fed in pieces of one size, then ended.
    private func read(_ text: String, pieces size: Int, isEnded: Bool) -> AnswerParser.Reading {
        var limits = HTTPLimits()
        limits.answerBytesMax = 1_000
        limits.answerBytesKept = 20
        var parser = AnswerParser(limits: limits)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let reading = parser.take(rest.prefix(size))
            guard reading == .needsMore else {
                guard case .complete(let answer, let isReusable) = reading else { return reading }
                // What stands behind the answer is met in this piece or in a later one.
                return .complete(answer, isReusable: isReusable && rest.count <= size)
            }
            rest = rest.dropFirst(size)
        }
        return isEnded ? parser.end() : .needsMore
    }

    /// The same whichever way it is cut.
    private func read(_ text: String, isEnded: Bool = false) -> AnswerParser.Reading {
        let whole = read(text, pieces: .max, isEnded: isEnded)
        for size in 1...min(40, max(1, text.utf8.count)) {
            #expect(read(text, pieces: size, isEnded: isEnded) == whole, "in pieces of \(size)")
        }
        return whole
    }

    private func answer(
        _ status: Int, _ body: String, isReusable: Bool = true, retryAfter: String? = nil,
        contentType: String? = nil
    ) -> AnswerParser.Reading {
        .complete(
            HTTPAnswer(
                status: status, retryAfter: retryAfter, contentType: contentType,
                body: Array(body.utf8)),
            isReusable: isReusable)
    }

    @Test func `the three ways to end a body are read, and bodies that cannot be`() {
        #expect(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") == answer(200, "ok"))
        #expect(
            read(
                "HTTP/1.1 503\r\nTransfer-Encoding: Chunked\r\nretry-after:  7 \r\n\r\n"
                    + "3;x=\"y\"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n")
                == answer(503, "abc0123456789", retryAfter: "7"))
        let open = "HTTP/1.1 500 Oh\r\nContent-Type: text/html\r\n\r\n<p>"
        #expect(read(open) == .needsMore)
        #expect(
            read(open, isEnded: true)
                == answer(500, "<p>", isReusable: false, contentType: "text/html"))
        #expect(read("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n") == answer(204, ""))
        #expect(read("HTTP/1.1 304 No\r\n\r\n") == answer(304, ""))
    }

    @Test func `informational answers are passed over, and a switch of protocols is none`() {
        #expect(
            read(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == answer(200, ""))
        #expect(read("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n") == .malformed)
        let many = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 2_000)
        #expect(read(many, pieces: .max, isEnded: false) == .malformed)
    }

    @Test func `a connection is used again only where the answer says where it ends`() {
        #expect(
            read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
                == answer(200, "", isReusable: false))
        #expect(
            read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n")
                == answer(200, "", isReusable: false))
        #expect(
            read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n")
                == answer(200, "ok", isReusable: false))
    }

    @Test(arguments: [
        "hello\r\n\r\n", "\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: nameless\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \u{0}\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\n\n",
    ])
    func `what breaks the rules is no answer`(text: String) {
        #expect(read(text) == .malformed)
    }

    @Test func `an answer cut short is none, wherever it ends`() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        for count in 0..<text.utf8.count {
            let cut = String(decoding: Array(text.utf8).prefix(count), as: UTF8.self)
            #expect(read(cut, pieces: .max, isEnded: true) == .malformed, "after \(count) bytes")
        }
        let counted = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"
        #expect(read(counted, pieces: .max, isEnded: true) == .malformed)
    }

    @Test func `a head, a body, a size line and trailers without end are bounded`() {
        let long = String(repeating: "x", count: AnswerParser.headByteCountMax)
        #expect(read("HTTP/1.1 200 " + long, pieces: 999, isEnded: false) == .malformed)
        let body = String(repeating: "x", count: 1_001)
        let kept = String(repeating: "x", count: 20)
        #expect(
            read("HTTP/1.1 500 E\r\n\r\n" + body, pieces: 10_000, isEnded: false)
                == answer(500, kept, isReusable: false))
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let line = String(repeating: "x", count: ChunkReader.lineByteCountMax)
        #expect(read(chunked + "1;" + line, pieces: 999, isEnded: false) == .malformed)
        #expect(read(chunked + "0\r\na: " + line, pieces: 999, isEnded: false) == .malformed)
        let small = String(repeating: "1\r\nx\r\n", count: 1_001)
        #expect(
            read(chunked + small, pieces: 999, isEnded: false)
                == answer(200, kept, isReusable: false))
    }

    @Test func `random bytes never crash it, and read the same whole and in pieces`() {
        var generator = SeededGenerator.announced("answers in pieces")
        let seeds = [
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n012345678901",
            "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad\r\nRetry-After: 3\r\n\r\nbad",
        ]
        let odd = Array("\r\n\0: \t;0123456789abcdefHTP/,".utf8)
        for _ in 0..<3_000 {
            var bytes = Array(seeds[Int.random(in: 0..<3, using: &generator)].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let byte = odd[Int.random(in: 0..<odd.count, using: &generator)]
                if Bool.random(using: &generator) {
                    bytes[place] = byte
                } else {
                    bytes.insert(byte, at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let size = Int.random(in: 1...20, using: &generator)
            #expect(
                read(text, pieces: size, isEnded: true)
                    == read(text, pieces: .max, isEnded: true), "\(text.debugDescription)")
        }
    }
}
