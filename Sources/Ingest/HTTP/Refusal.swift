/// A status code with what every answer that carries it says beside.
enum HTTPStatus: Int, CaseIterable, Sendable {
    case ok = 200
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case lengthRequired = 411
    case contentTooLarge = 413
    case targetTooLong = 414
    case unsupportedMediaType = 415
    case expectationFailed = 417
    case headTooLarge = 431
    case notImplemented = 501
    case unavailable = 503
    case versionNotSupported = 505

    /// The reason phrase of RFC 9110.
    var phrase: StaticString {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .unauthorized: "Unauthorized"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .lengthRequired: "Length Required"
        case .contentTooLarge: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .expectationFailed: "Expectation Failed"
        case .headTooLarge: "Request Header Fields Too Large"
        case .notImplemented: "Not Implemented"
        case .unavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }

    /// Field lines that RFC 9110 demands or that tell the client how to go on.
    var fields: StaticString {
        switch self {
        case .unauthorized: "WWW-Authenticate: X-Hub-Signature-256\r\n"
        case .methodNotAllowed: "Allow: GET, HEAD, POST\r\n"
        case .unsupportedMediaType: "Accept-Encoding: identity\r\n"
        case .unavailable: "Retry-After: 1\r\n"
        case .ok, .badRequest, .forbidden, .notFound, .requestTimeout, .lengthRequired,
            .contentTooLarge, .targetTooLong, .expectationFailed, .headTooLarge, .notImplemented,
            .versionNotSupported:
            ""
        }
    }
}

/// Why a request gets no 200.
///
/// The raw value is the label of the metric; the client sees the status alone.
enum Refusal: String, CaseIterable, Sendable {
    // The framing is in doubt: answered, then closed.
    case emptyLines = "empty_lines"
    case requestLine = "request_line"
    case methodTooLong = "method_too_long"
    case target
    case targetTooLong = "target_too_long"
    case version
    case fieldName = "field_name"
    case fieldValue = "field_value"
    case fieldFolded = "field_folded"
    case fieldRepeated = "field_repeated"
    case fieldsTooMany = "fields_too_many"
    case headTooLarge = "head_too_large"
    case host
    case contentLength = "content_length"
    case bodyTooLarge = "body_too_large"
    case transferEncoding = "transfer_encoding"
    case transferCoding = "transfer_coding"
    case framingConflict = "framing_conflict"
    case expectation
    case chunk
    case chunkOverhead = "chunk_overhead"
    case trailerTooLarge = "trailer_too_large"
    case incomplete
    case tooSlow = "too_slow"
    case lengthMissing = "length_missing"

    // The request is understood and refused.
    case path
    case method
    case methodUnknown = "method_unknown"
    case contentEncoding = "content_encoding"
    case signatureMissing = "signature_missing"
    case signatureRepeated = "signature_repeated"
    case signature
    case verifyToken = "verify_token"

    // The service cannot store it now; the sender comes again.
    case disk
    case queue
    case gate
    case commit
    case stopping

    var status: HTTPStatus {
        switch self {
        case .emptyLines, .requestLine, .target, .fieldName, .fieldValue, .fieldFolded,
            .fieldRepeated, .host, .contentLength, .transferEncoding, .framingConflict, .chunk,
            .chunkOverhead, .incomplete:
            .badRequest
        case .targetTooLong: .targetTooLong
        case .version: .versionNotSupported
        case .fieldsTooMany, .headTooLarge, .trailerTooLarge: .headTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .methodTooLong, .methodUnknown, .transferCoding: .notImplemented
        case .expectation: .expectationFailed
        case .tooSlow: .requestTimeout
        case .lengthMissing: .lengthRequired
        case .path: .notFound
        case .method: .methodNotAllowed
        case .contentEncoding: .unsupportedMediaType
        case .signatureMissing, .signatureRepeated, .signature: .unauthorized
        case .verifyToken: .forbidden
        case .disk, .queue, .gate, .commit, .stopping: .unavailable
        }
    }
}
