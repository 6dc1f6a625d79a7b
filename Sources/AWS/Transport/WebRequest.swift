/// One request to a web service, sent exactly as given as far as the transport allows.
struct WebRequest: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Read from the file while it is sent; memory does not grow with it.
        case file(path: String, byteCount: Int)

        var byteCount: Int {
            switch self {
            case .none: 0
            case .bytes(let bytes): bytes.count
            case .file(_, let byteCount): byteCount
            }
        }
    }

    var method: String
    /// Absolute and encoded, `http` or `https`.
    var url: String
    /// Names and values without line breaks.
    var headers: [(name: String, value: String)] = []
    var body = Body.none
    var limits = WebLimits()
}

/// Bounds of one exchange.
struct WebLimits: Sendable, Equatable {
    /// Until the first byte goes out or comes in: name, connection and TLS.
    var connectDuration: Duration = .seconds(10)
    /// The longest silence after that, while sending, waiting or receiving.
    var silenceDuration: Duration = .seconds(60)
    /// Of an answer's body; a longer answer is a failure.
    var answerByteCountMax = 1_048_576
}

/// A whole answer.
struct WebAnswer: Sendable, Equatable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why there is no answer.
enum WebFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case nameNotResolved
    case connectionRefused
    case connectionFailed
    case tlsFailed(String)
    case connectTimedOut
    /// The request may have arrived.
    case timedOut
    /// After the connection stood: the request may have arrived.
    case connectionLost
    case answerTooLong(byteCountMax: Int)
    /// The file of the body could not be read.
    case bodyUnreadable(String)
    /// The program stops.
    case cancelled

    var description: String {
        switch self {
        case .nameNotResolved: "the host's name cannot be resolved"
        case .connectionRefused: "connection refused"
        case .connectionFailed: "no connection"
        case .tlsFailed(let reason): "TLS failed: \(reason)"
        case .connectTimedOut: "connecting took too long"
        case .timedOut: "no answer in time"
        case .connectionLost: "the connection was cut before the answer was complete"
        case .answerTooLong(let byteCountMax): "an answer of more than \(byteCountMax) bytes"
        case .bodyUnreadable(let reason): reason
        case .cancelled: "given up, the program stops"
        }
    }
}

/// Sends requests and waits for the answers.
protocol WebTransport: AnyObject, Sendable {
    /// Blocks until the answer is whole, follows no redirect, and tries nothing twice.
    func send(_ request: WebRequest) throws(WebFailure) -> WebAnswer
}
