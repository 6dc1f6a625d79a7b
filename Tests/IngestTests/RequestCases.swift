import Testing

@testable import Ingest

/// Streams of bytes and what they are, each tried whole, byte by byte, and cut at every offset.
struct RequestCase: Sendable, CustomTestStringConvertible {
    var name: String
    var stream: String
    var refusal: Refusal?
    var bodies: [String] = []

    var testDescription: String { name }

    static func accepted(_ name: String, _ stream: String, bodies: String...) -> RequestCase {
        RequestCase(name: name, stream: stream, refusal: nil, bodies: bodies)
    }

    static func refused(_ name: String, _ refusal: Refusal, _ stream: String) -> RequestCase {
        RequestCase(name: name, stream: stream, refusal: refusal)
    }
}

private let post = "POST /webhook HTTP/1.1\r\nHost: a\r\n"
private let get = "GET /webhook HTTP/1.1\r\nHost: a\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

extension RequestCase {
    static let accepted: [RequestCase] = [
        .accepted("a plain get", get + "\r\n", bodies: ""),
        .accepted("a counted body", post + "Content-Length: 5\r\n\r\nhello", bodies: "hello"),
        .accepted("an empty body", post + "Content-Length: 0\r\n\r\n", bodies: ""),
        .accepted("leading zeros", post + "Content-Length: 0005\r\n\r\nhello", bodies: "hello"),
        .accepted("one leading empty line", "\r\n" + get + "\r\n", bodies: ""),
        .accepted("two leading empty lines", "\r\n\r\n" + get + "\r\n", bodies: ""),
        .accepted(
            "two requests in a row",
            post + "Content-Length: 1\r\n\r\nA" + post + "Content-Length: 2\r\n\r\nBC",
            bodies: "A", "BC"
        ),
        .accepted("http/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", bodies: ""),
        .accepted(
            "absolute form", "GET http://h:80/webhook?a=b HTTP/1.1\r\nHost: h\r\n\r\n", bodies: ""),
        .accepted(
            "absolute form without a path", "GET HTTPS://h?x HTTP/1.1\r\nHost: h\r\n\r\n",
            bodies: ""),
        .accepted("asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", bodies: ""),
        .accepted("authority form", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", bodies: ""),
        .accepted("no blank after the colon", "GET / HTTP/1.1\r\nHost:a\r\nX:\r\n\r\n", bodies: ""),
        .accepted("blanks around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", bodies: ""),
        .accepted("an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", bodies: ""),
        .accepted("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", bodies: ""),
        .accepted("high bytes and tabs in a value", get + "X: \u{e9}\tb\r\n\r\n", bodies: ""),
        .accepted("chunks", chunked + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", bodies: "hello!"),
        .accepted(
            "chunked in any case",
            post + "tRANSFER-eNCODING: \t ChUnKeD \r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
            bodies: "0123456789"
        ),
        .accepted(
            "zeros before a size", chunked + "000000000000000a\r\n0123456789\r\n000\r\n\r\n",
            bodies: "0123456789"),
        .accepted(
            "chunk extensions",
            chunked + "1;a\r\nx\r\n1 ; b = \"q\\\"\t;\";c=d\r\ny\r\n0;e\r\n\r\n", bodies: "xy"),
        .accepted(
            "trailers", chunked + "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n", bodies: "x"),
        .accepted(
            "a request behind chunks",
            chunked + "1\r\nx\r\n0\r\n\r\n" + get + "\r\n" + chunked + "0\r\n\r\n",
            bodies: "x", "", ""
        ),
        .accepted(
            "line breaks in a chunk", chunked + "4\r\n\r\n\r\n\r\n0\r\n\r\n", bodies: "\r\n\r\n"),
    ]

    static let refusedLines: [RequestCase] = [
        .refused("three leading empty lines", .emptyLines, "\r\n\r\n\r\n" + get + "\r\n"),
        .refused("a leading bare line feed", .requestLine, "\n" + get + "\r\n"),
        .refused("a leading bare return", .requestLine, "\rGET / HTTP/1.1\r\n\r\n"),
        .refused("a leading space", .requestLine, " GET / HTTP/1.1\r\n\r\n"),
        .refused("two spaces before the target", .target, "GET  / HTTP/1.1\r\n\r\n"),
        .refused("two spaces before the version", .requestLine, "GET /  HTTP/1.1\r\n\r\n"),
        .refused("a tab", .requestLine, "GET\t/ HTTP/1.1\r\n\r\n"),
        .refused("no version", .target, "GET /\r\n\r\n"),
        .refused("a bare line feed", .requestLine, "GET / HTTP/1.1\nHost: a\n\n"),
        .refused("a blank at the end", .requestLine, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        .refused("http in lower case", .requestLine, "GET / http/1.1\r\nHost: a\r\n\r\n"),
        .refused("a version of two digits", .requestLine, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        .refused("version 2.0", .version, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .refused("version 1.2", .version, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        .refused("version 0.9", .version, "GET / HTTP/0.9\r\n\r\n"),
        .refused("a method with a parenthesis", .requestLine, "GE(T / HTTP/1.1\r\n\r\n"),
        .refused("an endless method", .methodTooLong, String(repeating: "A", count: 33)),
        .refused("TLS on a plain port", .requestLine, "\u{16}\u{03}\u{01}"),
        .refused("a fragment", .target, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a high byte", .target, "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a NUL", .target, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a DEL", .target, "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a broken percent triple", .target, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("an asterisk for a get", .target, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a relative target", .target, "GET webhook HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("another scheme", .target, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused(
            "an absolute target without host", .target,
            "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("a user in the target", .target, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("connect without a port", .target, "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    static let refusedFields: [RequestCase] = [
        .refused("no host", .host, "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
        .refused("two hosts", .host, get + "Host: a\r\n\r\n"),
        .refused("a host with a blank", .host, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        .refused("a host with a path", .host, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        .refused("a host with a user", .host, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        .refused("a port of letters", .host, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
        .refused("an open bracket", .host, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        .refused("a bad IPv6 address", .host, "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n"),
        .refused("a blank before the colon", .fieldName, get + "X : y\r\n\r\n"),
        .refused("a name without a colon", .fieldName, get + "X\r\n\r\n"),
        .refused("an empty name", .fieldName, get + ": y\r\n\r\n"),
        .refused("a name with a bracket", .fieldName, get + "X[]: y\r\n\r\n"),
        .refused("a folded line", .fieldFolded, get + "X: y\r\n z\r\n\r\n"),
        .refused(
            "a blank before the first name", .fieldFolded, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .refused("a NUL in a value", .fieldValue, get + "X: \0\r\n\r\n"),
        .refused("a bare return in a value", .fieldValue, get + "X: a\rb\r\n\r\n"),
        .refused("a bare line feed in a value", .fieldValue, get + "X: a\nY: b\r\n\r\n"),
        .refused("a DEL in a value", .fieldValue, get + "X: \u{7f}\r\n\r\n"),
        .refused("an escape in a value", .fieldValue, get + "X: \u{1b}[1m\r\n\r\n"),
        .refused("a bare return at the end", .fieldName, get + "\rX"),
        .refused("two user agents", .fieldRepeated, get + "User-Agent: a\r\nUser-Agent: b\r\n\r\n"),
        .refused("another expectation", .expectation, post + "Expect: 200-ok\r\n\r\n"),
        .refused("two expectations", .expectation, post + "Expect: 100-continue, x\r\n\r\n"),
    ]

    static let refusedFraming: [RequestCase] = [
        .refused("a length with a plus", .contentLength, post + "Content-Length: +5\r\n\r\nhello"),
        .refused("a negative length", .contentLength, post + "Content-Length: -5\r\n\r\nhello"),
        .refused("a hexadecimal length", .contentLength, post + "Content-Length: 0x5\r\n\r\nhello"),
        .refused("no length at all", .contentLength, post + "Content-Length: \r\n\r\n"),
        .refused("a list of lengths", .contentLength, post + "Content-Length: 5, 5\r\n\r\nhello"),
        .refused("a blank in a length", .contentLength, post + "Content-Length: 1 0\r\n\r\nhello"),
        .refused(
            "two lengths", .contentLength, post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        .refused(
            "two equal lengths", .contentLength,
            post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
        .refused(
            "a length of twenty digits", .contentLength,
            post + "Content-Length: 99999999999999999999\r\n\r\n"),
        .refused(
            "a length above 2^63", .contentLength,
            post + "Content-Length: 9999999999999999999\r\n\r\n"),
        .refused(
            "a length above the limit", .bodyTooLarge, post + "Content-Length: 4194305\r\n\r\n"),
        .refused(
            "length, then chunked", .framingConflict,
            post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .refused(
            "chunked, then length", .framingConflict,
            post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
        .refused(
            "chunked in http/1.0", .transferEncoding,
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        .refused("another coding", .transferEncoding, post + "Transfer-Encoding: gzip\r\n\r\n"),
        .refused("identity", .transferEncoding, post + "Transfer-Encoding: identity\r\n\r\n"),
        .refused("nearly chunked", .transferEncoding, post + "Transfer-Encoding: xchunked\r\n\r\n"),
        .refused(
            "chunked with a parameter", .transferEncoding,
            post + "Transfer-Encoding: chunked;a=b\r\n\r\n"),
        .refused(
            "chunked not at the end", .transferEncoding,
            post + "Transfer-Encoding: chunked, gzip\r\n\r\n"),
        .refused(
            "chunked over another coding", .transferCoding,
            post + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
        .refused(
            "chunked over another coding, on two lines", .transferCoding,
            post + "Transfer-Encoding: gzip;q=\"1\"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .refused(
            "another coding, then a length", .framingConflict,
            post + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"),
        .refused(
            "chunked twice", .transferEncoding, post + "Transfer-Encoding: chunked, chunked\r\n\r\n"
        ),
        .refused(
            "chunked on two lines", .transferEncoding,
            post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .refused(
            "chunked after an empty element", .transferEncoding,
            post + "Transfer-Encoding: , chunked\r\n\r\n"),
        .refused("an empty coding", .transferEncoding, post + "Transfer-Encoding:\r\n\r\n"),
        .refused("a size with a prefix", .chunk, chunked + "0x5\r\nhello\r\n0\r\n\r\n"),
        .refused("a negative size", .chunk, chunked + "-1\r\n"),
        .refused("no size", .chunk, chunked + "\r\n0\r\n\r\n"),
        .refused("a blank before a size", .chunk, chunked + " 5\r\nhello\r\n"),
        .refused("a blank behind a size", .chunk, chunked + "5 \r\nhello\r\n"),
        .refused("a size of 17 digits", .chunk, chunked + "00000000000000005\r\nhello\r\n"),
        .refused("a size of 2^64 - 1", .bodyTooLarge, chunked + "FFFFFFFFFFFFFFFF\r\nhello"),
        .refused("a size that wraps around", .chunk, chunked + "10000000000000005\r\nhello"),
        .refused("a bare line feed behind a size", .chunk, chunked + "5\nhello\r\n"),
        .refused("a longer chunk than its size", .chunk, chunked + "5\r\nhello!\r\n0\r\n\r\n"),
        .refused("a bare line feed behind a chunk", .chunk, chunked + "5\r\nhello\n0\r\n\r\n"),
        .refused("a bare return behind a chunk", .chunk, chunked + "5\r\nhello\r0\r\n\r\n"),
        .refused("a line feed in an extension", .chunk, chunked + "5;a\nhello\r\n0\r\n\r\n"),
        .refused("an unnamed extension", .chunk, chunked + "5;\r\nhello\r\n"),
        .refused("an extension without a value", .chunk, chunked + "5;a=\r\nhello\r\n"),
        .refused("an open quote", .chunk, chunked + "5;a=\"b\r\nhello\r\n"),
        .refused("a NUL in a quote", .chunk, chunked + "5;a=\"\0\"\r\nhello\r\n"),
        .refused(
            "an endless extension", .chunk, chunked + "5;" + String(repeating: "a", count: 300)),
        .refused("a trailer without a colon", .fieldName, chunked + "0\r\nX\r\n\r\n"),
        .refused("a folded trailer", .fieldFolded, chunked + "0\r\nX: a\r\n b\r\n\r\n"),
        .refused("a control byte in a trailer", .fieldValue, chunked + "0\r\nX: \0\r\n\r\n"),
        .refused("a bare line feed in a trailer", .fieldValue, chunked + "0\r\nX: a\n\r\n"),
    ]

    static let refused = refusedLines + refusedFields + refusedFraming
}
