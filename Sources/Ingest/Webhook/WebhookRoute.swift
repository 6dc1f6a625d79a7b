/// What a request head leads to: the one place that knows path and methods.
///
/// | request | answer |
/// |---|---|
/// | an unknown method | 501 |
/// | another path | 404 |
/// | GET, HEAD | the verification handshake, once complete |
/// | POST | checked here before its body is read, then for its signature |
/// | PUT, DELETE, PATCH, OPTIONS, TRACE, CONNECT | 405 |
struct WebhookRoute: Sendable {
    /// `INGEST_PATH`, compared byte by byte: no decoding, no dots, no slash at the end forgiven.
    let path: [UInt8]

    /// Why the head is refused without reading its body; nil to go on.
    ///
    /// - Parameters:
    ///   - head: complete and well formed.
    ///   - base: the first byte of the request.
    ///   - closed: why no webhook can be taken at the moment, if so.
    /// - Returns: the refusal, the same for every request with this head but for `closed`.
    func refusal(
        of head: RequestHead,
        at base: UnsafePointer<UInt8>,
        closed: Refusal?
    ) -> Refusal? {
        if head.method == .unknown { return .methodUnknown }
        // Their targets name no resource that a path could miss.
        if head.method == .connect || head.method == .options && head.path.isEmpty {
            return .method
        }
        guard Int(head.path.count) == path.count,
            path.withUnsafeBufferPointer({ isPath($0, head.path, base) })
        else { return .path }
        switch head.method {
        case .get, .head: return nil
        case .post: return refusalOfPost(head, closed)
        case .put, .delete, .patch, .options, .trace, .connect: return .method
        case .unknown: return .methodUnknown
        }
    }

    private func refusalOfPost(_ head: RequestHead, _ closed: Refusal?) -> Refusal? {
        guard head.contentLength >= 0 || head.marks.contains(.isChunked) else {
            return .lengthMissing
        }
        // The signature is over what the sender hashed, and a coding would leave open what that
        // was.
        if head.marks.contains(.contentEncoding) { return .contentEncoding }
        guard head.marks.contains(.signature256) else { return .signatureMissing }
        if head.marks.contains(.signature256Repeated) { return .signatureRepeated }
        return closed
    }

    private func isPath(
        _ path: UnsafeBufferPointer<UInt8>,
        _ span: Span,
        _ base: UnsafePointer<UInt8>
    ) -> Bool {
        guard let start = path.baseAddress else { return span.isEmpty }
        return bytesAreEqual(start, base + Int(span.start), path.count)
    }
}
