import Glibc

/// Why there is no answer; each is said in the words of somebody who looks for the reason.
enum NetworkFailure: Error, Equatable, CustomStringConvertible {
    /// The name means no address.
    case unknownHost(String)
    /// Nothing listens there.
    case refused
    /// No answer within the time that was given.
    case timeout
    /// The other side ended the connection first.
    case closed
    /// What came is no HTTP answer.
    case malformed
    /// The system's own words.
    case system(code: Int32)

    var description: String {
        switch self {
        case .unknownHost(let host): "the name \(host) is not known"
        case .refused: "connection refused: nothing listens there"
        case .timeout: "no answer in time"
        case .closed: "the connection was closed before an answer"
        case .malformed: "what answers there does not speak HTTP"
        case .system(let code): String(cString: strerror(code))
        }
    }

    /// Tells the failures that need words of their own from the others.
    init(code: Int32) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT: self = .timeout
        case ECONNRESET, EPIPE: self = .closed
        default: self = .system(code: code)
        }
    }
}
