import Base

/// One request, sent exactly as given as far as the transport allows.
struct HTTPRequest: Sendable, Equatable {
    var method: String
    /// Absolute, `http` or `https`.
    var url: String
    /// Names and values without line breaks; `Content-Length` among them where it must be explicit.
    var headers: [Header]
    var body: [UInt8]

    struct Header: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// The value of a header; names compare without case.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// A whole answer, or as much of it as was wanted.
struct HTTPAnswer: Sendable, Equatable {
    /// 200...599 from a server that follows the rules.
    var status: Int
    var retryAfter: String?
    var contentType: String?
    /// The first `HTTPLimits.answerBytesKept` of the body.
    var body: [UInt8]
}

/// Why there is no answer.
enum HTTPFailure: String, Sendable, CaseIterable {
    case nameNotResolved = "name not resolved"
    case connectionRefused = "connection refused"
    case connectionFailed = "connection failed"
    case tlsFailed = "TLS failed"
    case connectTimedOut = "connect timed out"
    /// The name leads to an address that nothing is sent to, a metadata service's say.
    case addressRefused = "address refused"
    /// The request may have arrived.
    case timedOut = "timed out"
    /// After the connection stood: the request may have arrived.
    case connectionLost = "connection lost"
    /// What came breaks the rules of HTTP; the request has arrived.
    case malformedAnswer = "malformed answer"
    /// We gave it up, since the program stops.
    case cancelled = "cancelled"
}

/// Bounds of one exchange.
struct HTTPLimits: Sendable, Equatable {
    /// Until the connection stands, TLS included.
    var connectDuration: Duration = .seconds(10)
    /// From the start to the last byte of the answer.
    var answerDuration: Duration = .seconds(60)
    /// Kept of an answer's body.
    var answerBytesKept = 2_048
    /// Read of an answer's body, so that the connection can be used again; beyond it the answer
    /// counts as whole and the connection is given up.
    var answerBytesMax = 65_536
    /// Connections to one host; requests beyond it would wait inside the client.
    var connectionsMax = 8
}

/// How an exchange ended.
struct HTTPCompletion: Sendable, Equatable {
    enum Result: Sendable, Equatable {
        case answered(HTTPAnswer)
        case failed(HTTPFailure)
    }

    /// What `HTTPClient.send(_:ticket:)` was given.
    let ticket: Int
    let result: Result
    /// Wall time of the start.
    let startedAt: Timestamp
    let duration: Duration
}
