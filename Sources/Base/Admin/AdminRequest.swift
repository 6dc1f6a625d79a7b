/// The little of HTTP that the admin endpoint understands.
enum AdminRequest: Equatable {
    /// Longest head, request line and fields together; more is answered 431.
    static let headBytesMax = 8_192

    case get(path: String, isHead: Bool)
    /// Another method than GET and HEAD.
    case otherMethod
    case malformed

    /// Where the head ends, once all of it is there.
    static func headEnd(in bytes: [UInt8]) -> Int? {
        let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { bytes[$0..<($0 + 4)].elementsEqual(end) }
    }

    /// Reads the request line; fields do not matter here.
    init(head: some Collection<UInt8>) {
        let line = head.prefix { $0 != 0x0D && $0 != 0x0A }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[1].first == UInt8(ascii: "/"),
            words[2].elementsEqual("HTTP/1.1".utf8) || words[2].elementsEqual("HTTP/1.0".utf8)
        else {
            self = .malformed
            return
        }
        let isHead = words[0].elementsEqual("HEAD".utf8)
        guard isHead || words[0].elementsEqual("GET".utf8) else {
            self = .otherMethod
            return
        }
        let path = words[1].prefix { $0 != UInt8(ascii: "?") }
        self = .get(path: String(decoding: path, as: UTF8.self), isHead: isHead)
    }
}

/// One answer of the admin endpoint; the connection is closed after it.
struct AdminAnswer: Equatable {
    let status: Int
    let text: String
    var hasBody = true
    var contentType = "text/plain; charset=utf-8"

    /// The answer as it goes out.
    var bytes: [UInt8] {
        let head = """
            HTTP/1.1 \(status) \(reason)\r
            Content-Type: \(contentType)\r
            Content-Length: \(text.utf8.count)\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            \(status == 405 ? "Allow: GET, HEAD\r\n" : "")Connection: close\r
            \r

            """
        return Array((hasBody ? head + text : head).utf8)
    }

    private var reason: String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 431: "Request Header Fields Too Large"
        default: "Service Unavailable"
        }
    }
}
