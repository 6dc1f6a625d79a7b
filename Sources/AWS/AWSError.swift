import Base

/// Why a service did not do what it was asked; what that means is decided in one place.
///
/// Never holds a secret: a service's message names keys by their public names only.
public struct AWSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What the trouble means for whoever asked.
    public enum Kind: String, Sendable, CaseIterable {
        /// No answer, or one that will pass: ask again, later and later.
        case unavailable
        /// It will not be done until a person mends something: a permission, a name, a key.
        case refused
        /// There is no object of that name; the bucket is there.
        case missing
        /// There is an object of that name already, and it was to be new.
        case exists
        /// The store knows no `If-None-Match`, and said so.
        case conditionUnknown
        /// The key has expired or is not known any more: get another one and ask again.
        case staleKey
        /// The clocks differ too much: correct ours by the answer's `Date` and ask again.
        case clockSkewed
        /// The bucket is in another region: ask there.
        case elsewhere
    }

    /// What to do about it, in a word.
    public let kind: Kind
    /// One line: operation, answer, reason.
    public let reason: String
    /// What a person can do about it, where that is known.
    public let hint: String?
    /// The status of the answer; nil where there was none.
    public let status: Int?
    /// The shortest wait that the service asked for.
    public let retryAfter: Duration?
    /// Where the bucket is, for `elsewhere`.
    let region: String?
    /// The service's clock, for `clockSkewed`.
    let serverTime: Timestamp?

    init(
        _ kind: Kind,
        _ reason: String,
        hint: String? = nil,
        status: Int? = nil,
        retryAfter: Duration? = nil,
        region: String? = nil,
        serverTime: Timestamp? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.hint = hint
        self.status = status
        self.retryAfter = retryAfter
        self.region = region
        self.serverTime = serverTime
    }

    /// The same trouble after all that could be done about it has been done.
    func settled() -> AWSError {
        switch kind {
        case .staleKey, .clockSkewed, .elsewhere:
            AWSError(
                .refused, reason, hint: hint, status: status, retryAfter: retryAfter)
        case .unavailable, .refused, .missing, .exists, .conditionUnknown: self
        }
    }

    /// Reason and hint in one line.
    public var description: String { hint.map { "\(reason); \($0)" } ?? reason }
}
