import TestSupport
import Testing

@testable import Ingest

@Suite struct RequestParserTests {
    private let harness = ParserHarness()

    @Test(arguments: RequestCase.accepted)
    func `a valid stream is read alike however it is cut`(given: RequestCase) throws {
        let outcomes = try #require(harness.parseEveryWay(Array(given.stream.utf8)))
        let bodies = outcomes.map { outcome -> String? in
            guard case .request(_, _, _, let body) = outcome else { return nil }
            return String(decoding: body, as: UTF8.self)
        }
        #expect(bodies == given.bodies)
    }

    @Test(arguments: RequestCase.refused)
    func `an invalid stream is refused alike however it is cut`(given: RequestCase) throws {
        let outcomes = try #require(harness.parseEveryWay(Array(given.stream.utf8)))
        #expect(outcomes == [.refused(try #require(given.refusal))])
    }

    @Test func `nothing is read behind a refused request`() {
        let stream = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost : a\r\n\r\nGET /c"
        let outcomes = harness.parseEveryWay(Array(stream.utf8))
        #expect(
            outcomes == [.request("get", path: "/a", query: "", body: []), .refused(.fieldName)])
    }

    @Test func `path and query are told apart in every form`() {
        for (target, path, query) in [
            ("/a", "/a", ""), ("/a?b?c", "/a", "b?c"), ("/?", "/", ""),
            ("//a/../b", "//a/../b", ""),
            ("http://h", "/", ""), ("http://h/a?b", "/a", "b"), ("HTTP://[::1]:1?b", "/", "b"),
        ] {
            let parsed = harness.parse("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(parsed == [.request("get", path: path, query: query, body: [])])
        }
    }

    @Test func `a target is taken up to its limit and refused beyond`() {
        for (count, isTaken) in [(8_192, true), (8_193, false)] {
            let target = "/" + String(repeating: "a", count: count - 1)
            let parsed = harness.parse("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect((parsed == [.refused(.targetTooLong)]) == !isTaken)
        }
    }

    @Test func `a head is taken up to its limit and refused beyond`() {
        for (count, isTaken) in [(16_384, true), (16_385, false)] {
            let start = "GET / HTTP/1.1\r\nHost: h\r\nX: "
            let filler = String(repeating: "a", count: count - start.utf8.count - 4)
            let stream = Array((start + filler + "\r\n\r\n").utf8)
            let outcomes = harness.parse(stream, cuts: [])
            #expect((outcomes == [.refused(.headTooLarge)]) == !isTaken)
            #expect(harness.parse(stream, cuts: Array(1..<stream.count)) == outcomes)
        }
    }

    @Test func `fields are taken up to their limit and refused beyond`() {
        for (count, isTaken) in [(100, true), (101, false)] {
            let fields = String(repeating: "X: y\r\n", count: count - 1)
            let parsed = harness.parse("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
            #expect((parsed == [.refused(.fieldsTooMany)]) == !isTaken)
        }
    }

    @Test func `a body is taken up to its limit and refused beyond`() {
        var harness = harness
        harness.limits.bodyBytesMax = 10
        let body = "0123456789"
        let head = "POST / HTTP/1.1\r\nHost: h\r\n"
        let counted = head + "Content-Length: "
        #expect(harness.parse(counted + "11\r\n\r\n") == [.refused(.bodyTooLarge)])
        #expect(harness.parse(counted + "10\r\n\r\n" + body).first != .refused(.bodyTooLarge))
        let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
        let whole = chunked + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
        #expect(harness.parse(whole).first != .refused(.bodyTooLarge))
        #expect(harness.parse(chunked + "5\r\n01234\r\n6\r\n") == [.refused(.bodyTooLarge)])
    }

    @Test func `a body in chunks of one byte is taken while it is small and refused when absurd`() {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        let small = head + String(repeating: "1\r\nx\r\n", count: 1_000) + "0\r\n\r\n"
        let large = head + String(repeating: "1\r\nx\r\n", count: 100_000) + "0\r\n\r\n"
        let expected = Parsed.request(
            "post", path: "/", query: "", body: Array(repeating: 0x78, count: 1_000)
        )
        #expect(harness.parse(small) == [expected])
        #expect(harness.parse(large) == [.refused(.chunkOverhead)])
    }

    @Test func `endless trailers are refused`() {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        let trailers = String(repeating: "X: y\r\n", count: 700)
        #expect(harness.parse(head + trailers) == [.refused(.trailerTooLarge)])
    }

    @Test func `random damage never makes one stream two`() throws {
        var generator = SeededGenerator.announced("RequestParserTests.damage")
        let inserts: [[UInt8]] = [[13, 10], [13], [10], [0], [58], [9], [32], [0x80], [0x7F]]
        for _ in 0..<3_000 {
            let given = try #require(RequestCase.accepted.randomElement(using: &generator))
            var stream = Array(given.stream.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let offset = Int.random(in: 0..<stream.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: stream.remove(at: offset)
                case 1: stream[offset] = UInt8.random(in: 0...255, using: &generator)
                default:
                    let insert = try #require(inserts.randomElement(using: &generator))
                    stream.insert(contentsOf: insert, at: offset)
                }
            }
            let whole = harness.parse(stream, cuts: [])
            let cuts = stream.indices.dropFirst().filter { _ in Bool.random(using: &generator) }
            #expect(harness.parse(stream, cuts: cuts) == whole, "\(stream)")
            #expect(harness.parse(stream, cuts: Array(1..<stream.count)) == whole, "\(stream)")
        }
    }
}
