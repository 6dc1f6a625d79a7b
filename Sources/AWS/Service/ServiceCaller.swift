import Base
import Synchronization

/// Addresses, signs and sends calls to one service, and mends what can be mended at once.
///
/// A key that the service does not know any more is fetched anew, a clock that is wrong is
/// corrected by the answer's `Date`, and a bucket in another region is asked there: each once a
/// call. All else is the caller's to decide; nothing is tried again here for hope alone. Any thread
/// may call.
final class ServiceCaller: Sendable {
    private struct State {
        var region: String
        /// Added to our clock.
        var clockOffset = Duration.zero
    }

    private let service: String
    private let normalizesPath: Bool
    private let endpoint: @Sendable (_ region: String) -> ServiceEndpoint
    private let credentials: CredentialChain
    private let transport: any WebTransport
    private let clock: @Sendable () -> Timestamp
    private let onNote: @Sendable (ServiceNote) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - service: as in the signature's scope, `s3`.
    ///   - region: where to ask first.
    ///   - endpoint: where the service answers in a region.
    ///   - credentials: for the signature.
    ///   - transport: does the sending.
    ///   - clock: wall time.
    ///   - onNote: told what was learnt, on the calling thread.
    init(
        service: String,
        region: String,
        endpoint: @escaping @Sendable (_ region: String) -> ServiceEndpoint,
        credentials: CredentialChain,
        transport: any WebTransport,
        clock: @escaping @Sendable () -> Timestamp,
        onNote: @escaping @Sendable (ServiceNote) -> Void
    ) {
        self.service = service
        // Amazon S3 signs paths as they are, since a key may hold `..` and `//`.
        normalizesPath = service != "s3"
        self.endpoint = endpoint
        self.credentials = credentials
        self.transport = transport
        self.clock = clock
        self.onNote = onNote
        state = Mutex(State(region: region))
    }

    /// Blocks until the service has answered with 2xx.
    ///
    /// - Returns: the answer.
    /// - Throws: ``AWSError`` for any other answer, or none.
    func call(_ call: ServiceCall) throws(AWSError) -> WebAnswer {
        var mended: Set<AWSError.Kind> = []
        while true {
            do throws(AWSError) {
                return try send(call)
            } catch {
                guard mended.insert(error.kind).inserted, mend(error) else {
                    throw error.settled()
                }
            }
        }
    }

    /// - Returns: whether the call may succeed now.
    private func mend(_ error: AWSError) -> Bool {
        switch error.kind {
        case .staleKey:
            credentials.forget()
            return true
        case .clockSkewed:
            guard let time = error.serverTime else { return false }
            let offset = time.since(clock())
            state.withLock { $0.clockOffset = offset }
            onNote(.clockCorrected(by: offset))
            return true
        case .elsewhere:
            guard let region = error.region else { return false }
            let isNew = state.withLock { state -> Bool in
                defer { state.region = region }
                return state.region != region
            }
            if isNew { onNote(.regionFound(region)) }
            return isNew
        case .unavailable, .refused, .missing, .exists, .conditionUnknown: return false
        }
    }

    private func send(_ call: ServiceCall) throws(AWSError) -> WebAnswer {
        let now = clock()
        let key = try credentials.key(now: now)
        let (region, offset) = state.withLock { ($0.region, $0.clockOffset) }
        let endpoint = endpoint(region)
        let path = endpoint.path + (call.path.isEmpty ? "/" : call.path)
        var headers = call.headers
        // S3 wants the body's hash beside the signature; other services allow it.
        headers.append(("x-amz-content-sha256", call.payloadHash))
        headers += SignedHeaders.make(
            SignedParts(
                method: call.method, path: path, query: call.query, headers: headers,
                payloadHash: call.payloadHash),
            host: endpoint.host,
            signer: RequestSigner(
                region: region, service: service, normalizesPath: normalizesPath),
            key: key, at: now + offset)
        let query = call.query.isEmpty ? "" : "?" + RequestSigner.canonicalQuery(call.query)
        let encodedPath = PercentEncoding.encode(path, keepsSlash: true)
        let request = WebRequest(
            method: call.method,
            url: "\(endpoint.scheme)://\(endpoint.host)\(encodedPath)\(query)",
            headers: headers, body: call.body, limits: call.limits)
        let answer: WebAnswer
        do throws(WebFailure) {
            answer = try transport.send(request)
        } catch {
            throw AWSError(error, of: call, host: endpoint.host)
        }
        guard (200..<300).contains(answer.status) else { throw AWSError(answer, to: call) }
        return answer
    }
}
