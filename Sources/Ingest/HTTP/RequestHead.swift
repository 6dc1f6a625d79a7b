/// A run of bytes, counted from the first byte of its request.
struct Span: Equatable, Sendable {
    var start: Int32 = 0
    var count: Int32 = 0

    init() {}

    init(_ start: Int, to end: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: end - start)
    }

    var isEmpty: Bool { count == 0 }
    var end: Int { Int(start) + Int(count) }

    /// The bytes meant, in a request that begins at `base`.
    @inline(__always)
    func bytes(at base: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Int(start), count: Int(count))
    }
}

/// A request method this server knows by name.
enum Method: UInt8, Sendable {
    case get, head, post
    /// Registered, and never allowed here.
    case put, delete, patch, options, trace, connect
    case unknown
}

/// What a request head said, as far as this server cares: spans into its bytes, and no copies.
struct RequestHead: Sendable {
    var method = Method.unknown
    /// The minor version of HTTP/1.x: 0 or 1.
    var minorVersion: UInt8 = 1
    var path = Span()
    /// What follows the `?`; empty when there is none.
    var query = Span()
    var signature256 = Span()
    var signature1 = Span()
    var userAgent = Span()
    var contentType = Span()
    /// The last X-Forwarded-For line.
    var forwardedFor = Span()
    /// The decoded body, set when the request is complete.
    var body = Span()
    /// Content-Length, or -1 where none was given.
    var contentLength: Int64 = -1
    var fieldCount: UInt16 = 0
    var forwardedForCount: UInt16 = 0
    var marks: Marks = []

    /// What is only present or absent.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt16
        static let host = Marks(rawValue: 1 << 0)
        static let isChunked = Marks(rawValue: 1 << 1)
        static let closes = Marks(rawValue: 1 << 2)
        static let keepsAlive = Marks(rawValue: 1 << 3)
        static let expectsContinue = Marks(rawValue: 1 << 4)
        static let contentEncoding = Marks(rawValue: 1 << 5)
        static let signature256 = Marks(rawValue: 1 << 6)
        static let signature256Repeated = Marks(rawValue: 1 << 7)
        static let signature1 = Marks(rawValue: 1 << 8)
        static let userAgent = Marks(rawValue: 1 << 9)
        static let contentType = Marks(rawValue: 1 << 10)
        /// A transfer coding that is not implemented.
        static let otherCoding = Marks(rawValue: 1 << 11)
    }

    /// A body follows the head, if only an empty chunked one.
    var hasBody: Bool { marks.contains(.isChunked) || contentLength > 0 }

    /// The client wants, or its version of the protocol implies, that the answer is the last one.
    var isLast: Bool {
        if marks.contains(.closes) { return true }
        return minorVersion == 0 && !marks.contains(.keepsAlive)
    }
}
