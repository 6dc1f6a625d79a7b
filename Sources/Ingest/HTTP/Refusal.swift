/// A status this server answers with, and what every such answer says beside it.
///
/// The raw value is its place in tables.
enum HTTPStatus: UInt8, CaseIterable, Sendable {
    case ok
    case badRequest
    case unauthorized
    case forbidden
    case notFound
    case methodNotAllowed
    case requestTimeout
    case lengthRequired
    case contentTooLarge
    case targetTooLong
    case unsupportedMediaType
    case expectationFailed
    case headTooLarge
    case notImplemented
    case unavailable
    case versionNotSupported

    /// The number on the wire.
    var code: Int {
        switch self {
        case .ok: 200
        case .badRequest: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .lengthRequired: 411
        case .contentTooLarge: 413
        case .targetTooLong: 414
        case .unsupportedMediaType: 415
        case .expectationFailed: 417
        case .headTooLarge: 431
        case .notImplemented: 501
        case .unavailable: 503
        case .versionNotSupported: 505
        }
    }

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
/// The raw value is its place in tables. The client sees the status alone.
enum Refusal: UInt8, CaseIterable, Sendable {
    // The framing is in doubt: answered, then closed.
    case emptyLines
    case requestLine
    case methodTooLong
    case target
    case targetTooLong
    case version
    case fieldName
    case fieldValue
    case fieldFolded
    case fieldRepeated
    case fieldsTooMany
    case headTooLarge
    case host
    case contentLength
    case bodyTooLarge
    case transferEncoding
    case transferCoding
    case framingConflict
    case expectation
    case chunk
    case chunkOverhead
    case trailerTooLarge
    case incomplete
    case tooSlow
    case lengthMissing

    // The request is understood and refused.
    case path
    case method
    case methodUnknown
    case contentEncoding
    case signatureMissing
    case signatureRepeated
    case signature
    case verifyToken

    // The service cannot store it now; the sender comes again.
    case disk
    case queue
    case gate
    case commit
    case stopping

    /// Its name in metrics: `chunk_overhead`.
    var label: String {
        "\(self)".reduce(into: "") { label, letter in
            label += letter.isUppercase ? "_\(letter.lowercased())" : "\(letter)"
        }
    }

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
