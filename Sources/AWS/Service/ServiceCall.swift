/// One request to a service, before it is addressed and signed.
struct ServiceCall: Sendable {
    /// Amazon's name of it, `PutObject`, for messages.
    var operation: String
    /// What a policy has to allow, for hints: `s3:PutObject on arn:...`.
    var permission: String
    var method: String
    /// Not encoded, below what the endpoint stands for; empty, or with a slash in front.
    var path = ""
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = WebRequest.Body.none
    /// SHA-256 of the body, 64 hex digits.
    var payloadHash = Digest.emptyHex
    var limits = WebLimits()
}

/// What a caller learnt on the way; for a log, each at most now and then.
public enum ServiceNote: Equatable, Sendable, CustomStringConvertible {
    /// The bucket is in another region than the settings say.
    case regionFound(String)
    /// Our clock is wrong by so much; requests are signed with the service's time.
    case clockCorrected(by: Duration)
    /// The store refused `If-None-Match` and objects are looked up before they are put.
    case conditionRefused
    /// The store took an object a second time in spite of `If-None-Match`.
    case conditionIgnored

    /// One line.
    public var description: String {
        switch self {
        case .regionFound(let region):
            "the bucket is in \(region): set AWS_REGION to save a request at each start"
        case .clockCorrected(let duration):
            "the clock of this machine is wrong by \(duration.milliseconds / 1_000) s; requests "
                + "are signed with the service's time: set the clock, with chrony say"
        case .conditionRefused:
            "the store does not know If-None-Match: each object is looked up before it is put"
        case .conditionIgnored:
            "the store ignores If-None-Match: an object put twice is stored twice, with the same "
                + "bytes"
        }
    }
}
