import Base
import Foundation

extension AWSError {
    /// The whole table: what an answer that is no success means.
    ///
    /// Source: Amazon S3 API Reference, "Error responses"; Amazon Data Firehose API Reference,
    /// "Common Errors".
    ///
    /// - Parameters:
    ///   - answer: of a status other than 2xx.
    ///   - call: what was asked, for reason and hint.
    init(_ answer: WebAnswer, to call: ServiceCall) {
        let fault = ServiceFault(answer)
        let kind = Self.kind(status: answer.status, fault: fault)
        let code = fault.code.map { " \($0)" } ?? ""
        let message = fault.message.map { ": \($0)" } ?? ""
        let told = "\(call.operation) was answered \(answer.status)\(code)\(message)"
        self.init(
            kind, told, hint: Self.hint(kind, status: answer.status, fault: fault, call: call),
            status: answer.status, retryAfter: Self.retryAfter(answer),
            region: fault.region, serverTime: answer.headers["date"].flatMap(HTTPDate.moment))
    }

    /// No answer at all.
    init(_ failure: WebFailure, of call: ServiceCall, host: String) {
        let hint: String? =
            switch failure {
            case .nameNotResolved: "check the endpoint, the region and this machine's DNS"
            case .tlsFailed: "check the endpoint's certificate and this machine's ca-certificates"
            case .connectionRefused, .connectionFailed, .connectTimedOut:
                "check the endpoint, the firewall and the proxy of this machine"
            case .timedOut, .connectionLost, .answerTooLong, .bodyUnreadable, .cancelled: nil
            }
        self.init(.unavailable, "\(call.operation) at \(host): \(failure)", hint: hint)
    }

    static func kind(status: Int, fault: ServiceFault) -> Kind {
        if let code = fault.code, let kind = kind(code: code, fault: fault) { return kind }
        switch status {
        case 301, 302, 307, 308: return fault.region == nil ? .unavailable : .elsewhere
        case 404: return .missing
        case 412: return .exists
        case 408, 409, 425, 429: return .unavailable
        case 501: return fault.mentionsCondition ? .conditionUnknown : .refused
        case 500...: return .unavailable
        // A HEAD has no body to say more: S3 answers so where the region is another.
        case 400: return fault.region == nil ? .refused : .elsewhere
        default: return .refused
        }
    }

    private static func kind(code: String, fault: ServiceFault) -> Kind? {
        switch code {
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
            "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException",
            "ExpiredCredentials":
            .staleKey
        case "RequestTimeTooSkewed", "RequestExpired": .clockSkewed
        case "InvalidSignatureException" where fault.mentionsTime: .clockSkewed
        case "PermanentRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException", "TemporaryRedirect":
            fault.region == nil ? nil : .elsewhere
        case "NoSuchKey", "NoSuchVersion": .missing
        case "PreconditionFailed": .exists
        case "NotImplemented", "InvalidArgument", "UnsupportedHeader", "MissingHeader":
            fault.mentionsCondition ? .conditionUnknown : nil
        case "NoSuchBucket", "ResourceNotFoundException": .refused
        case "SlowDown", "Throttling", "ThrottlingException", "ThrottledException",
            "RequestLimitExceeded", "RequestTimeout", "RequestTimeoutException", "InternalError",
            "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure",
            "OperationAborted", "ConditionalRequestConflict", "BandwidthLimitExceeded",
            // The bytes were changed on their way: our own were looked at before they were sent.
            "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch",
            "XAmzContentChecksumMismatch":
            .unavailable
        default: nil
        }
    }

    private static func retryAfter(_ answer: WebAnswer) -> Duration? {
        guard let text = answer.headers["retry-after"], (1...6).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int(text)
        else { return nil }
        return .seconds(seconds)
    }

    private static func hint(
        _ kind: Kind,
        status: Int,
        fault: ServiceFault,
        call: ServiceCall
    ) -> String? {
        switch kind {
        case .unavailable, .missing, .exists: return nil
        case .conditionUnknown: return "the store does not know If-None-Match"
        case .staleKey: return "check that the credentials are still valid; see AWS_PROFILE"
        case .clockSkewed: return "set the clock of this machine, with chrony say"
        case .elsewhere:
            return fault.region.map { "set AWS_REGION=\($0)" } ?? "set AWS_REGION"
        case .refused: break
        }
        switch fault.code {
        case "NoSuchBucket": return "make the bucket, or mend its name in LAKE_URL"
        case "ResourceNotFoundException":
            return "make the stream, or mend its name in LAKE_URL or AWS_REGION"
        case "SignatureDoesNotMatch", "InvalidSignatureException":
            return "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"
        default: break
        }
        guard status == 403 else { return nil }
        let isAboutKMS = fault.message?.contains("kms:") ?? false
        return isAboutKMS
            ? "allow kms:GenerateDataKey and kms:Decrypt with the key of the bucket"
            : "allow \(call.permission)"
    }
}

/// What the body and the headers of a refusal say.
struct ServiceFault: Equatable {
    var code: String?
    /// On one line and of a bounded length.
    var message: String?
    var region: String?

    private static let messageLengthMax = 300

    init(code: String? = nil, message: String? = nil, region: String? = nil) {
        self.code = code
        self.message = message
        self.region = region
    }

    init(_ answer: WebAnswer) {
        if let root = XMLScanner.root(of: answer.body) {
            // S3 answers with the error itself, STS with one in a wrapper.
            let error = root.name == "Error" ? root : root.all("Error").first
            code = error?.text("Code")
            message = error?.text("Message")
            region = error?.text("Region")
        } else if let json = try? JSONDecoder().decode(JSONFault.self, from: Data(answer.body)) {
            // AWS JSON 1.1: `__type` may have a namespace in front of a `#`.
            code = json.type?.split(separator: "#").last.map(String.init)
            message = json.message ?? json.otherMessage
        }
        code = code.map(Self.oneLine)
        message = message.map(Self.oneLine)
        region = (answer.headers["x-amz-bucket-region"] ?? region).flatMap {
            AWSSettings.isRegion($0) ? $0 : nil
        }
    }

    private struct JSONFault: Decodable {
        let type: String?
        let message: String?
        let otherMessage: String?

        enum CodingKeys: String, CodingKey {
            case type = "__type"
            case message
            case otherMessage = "Message"
        }
    }

    var mentionsCondition: Bool {
        let text = message?.lowercased() ?? ""
        return text.contains("if-none-match") || code == "NotImplemented" && text.contains("header")
    }

    var mentionsTime: Bool {
        let text = message?.lowercased() ?? ""
        return text.contains("expired") || text.contains("not yet current")
    }

    private static func oneLine(_ text: String) -> String {
        let plain = String(text.map { $0.isNewline ? " " : $0 })
        return plain.count <= messageLengthMax ? plain : plain.prefix(messageLengthMax) + "…"
    }
}
