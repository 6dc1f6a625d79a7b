import Base

/// What a signature covers.
struct SignedParts: Sendable {
    var method: String
    /// Not encoded; begins with a slash.
    var path: String
    /// Not encoded, in any order.
    var query: [(name: String, value: String)] = []
    /// Everything that is sent and signed, `host` included; names in any case.
    var headers: [(name: String, value: String)]
    /// SHA-256 of the body, 64 hex digits, or `UNSIGNED-PAYLOAD`.
    var payloadHash: String
}

/// AWS Signature Version 4, in a header.
///
/// Source: AWS General Reference, "Create a signed AWS API request"; for S3, Amazon S3 API
/// Reference, "Authenticating Requests: Using the Authorization Header". S3 takes paths as they
/// are; every other service takes them normalised. Pure: time comes in as an argument.
struct RequestSigner: Sendable {
    let region: String
    /// `s3`, `firehose` or `sts`.
    let service: String
    /// Whether `.`, `..` and empty segments are taken out of the path; never for S3.
    var normalizesPath = false

    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The value of the `Authorization` header.
    ///
    /// - Precondition: `parts.headers` holds `x-amz-date` with the same moment.
    func authorization(_ parts: SignedParts, key: AccessKey, at moment: Timestamp) -> String {
        let time = SigningTime(moment)
        let signature = signature(of: stringToSign(parts, at: time), key: key, at: time)
        return "\(Self.algorithm) Credential=\(key.id)/\(scope(time)), "
            + "SignedHeaders=\(Self.headerNames(parts)), Signature=\(signature)"
    }

    /// The request in the form of which the hash is signed.
    func canonicalRequest(_ parts: SignedParts) -> String {
        [
            parts.method, canonicalPath(parts.path), Self.canonicalQuery(parts.query),
            Self.canonicalHeaders(parts), Self.headerNames(parts), parts.payloadHash,
        ].joined(separator: "\n")
    }

    func stringToSign(_ parts: SignedParts, at time: SigningTime) -> String {
        let hash = Digest.hex(Digest.sha256(Array(canonicalRequest(parts).utf8)))
        return [Self.algorithm, time.text, scope(time), hash].joined(separator: "\n")
    }

    private func signature(of text: String, key: AccessKey, at time: SigningTime) -> String {
        let day = Digest.hmac(time.day, key: Array("AWS4".utf8) + key.secret.bytes)
        let regional = Digest.hmac(region, key: day)
        let serving = Digest.hmac(service, key: regional)
        let signing = Digest.hmac("aws4_request", key: serving)
        return Digest.hex(Digest.hmac(text, key: signing))
    }

    private func scope(_ time: SigningTime) -> String {
        "\(time.day)/\(region)/\(service)/aws4_request"
    }

    private func canonicalPath(_ path: String) -> String {
        PercentEncoding.encode(normalizesPath ? Self.normalized(path) : path, keepsSlash: true)
    }

    /// RFC 3986, section 5.2.4, and runs of slashes as one.
    private static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": break
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        guard !segments.isEmpty else { return "/" }
        return "/" + segments.joined(separator: "/") + (path.hasSuffix("/") ? "/" : "")
    }

    /// The query as it is signed and sent.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// Names in lower case and in order, values of one name in theirs, each with a line's end.
    private static func canonicalHeaders(_ parts: SignedParts) -> String {
        names(parts).map { name in
            let values = parts.headers.filter { $0.name.lowercased() == name }.map {
                collapsed($0.value)
            }
            return "\(name):\(values.joined(separator: ","))\n"
        }.joined()
    }

    private static func headerNames(_ parts: SignedParts) -> String {
        names(parts).joined(separator: ";")
    }

    private static func names(_ parts: SignedParts) -> [String] {
        Set(parts.headers.map { $0.name.lowercased() }).sorted()
    }

    /// Without white space at the ends, and each run of it inside as one space.
    private static func collapsed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" || $0.isNewline }.joined(separator: " ")
    }
}
