import Base
import Dispatch
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Requests over URLSession, which is asynchronous, behind a call that blocks.
///
/// What URLSession on Linux does by itself, and what is done about it:
/// - It follows redirects, stores cookies and credentials, and caches: all refused. A redirect of
///   S3's names another region, for which the request has to be signed anew.
/// - It answers a 401 with an authentication challenge that may never end: refused.
/// - It adds `Accept-Encoding` and decodes: `identity` is sent, so that objects stay as they are.
/// - It tells nothing of a redirect that says not where to, which is S3's kind, but that it is
///   over: status and headers are taken from the task then, and there is no body.
/// - It takes a body without `Content-Type` for a form: every caller says what it sends.
/// - It has no time-out for connecting and one for silence that differs by platform: kept here.
///
/// Proxies are those of the environment, `https_proxy` and `no_proxy`, which libcurl reads by
/// itself.
final class URLSessionTransport: WebTransport {
    private let exchanges = WebExchangeTable()
    private let session: URLSession

    init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.httpMaximumConnectionsPerHost = 8
        // The deadlines are ours; URLSession's own must only never come first.
        configuration.timeoutIntervalForRequest = 3_600
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        queue.name = "aws-transport"
        session = URLSession(
            configuration: configuration, delegate: WebDelegate(exchanges: exchanges),
            delegateQueue: queue)
    }

    deinit { session.invalidateAndCancel() }

    func send(_ request: WebRequest) throws(WebFailure) -> WebAnswer {
        guard let url = URL(string: request.url) else {
            preconditionFailure("an address that the settings let pass is none")
        }
        var urlRequest = URLRequest(url: url)
        urlRequest.httpMethod = request.method
        urlRequest.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        for header in request.headers {
            urlRequest.setValue(header.value, forHTTPHeaderField: header.name)
        }
        let exchange = WebExchange(limits: request.limits, hasBody: request.body.byteCount > 0)
        let task = task(urlRequest, body: request.body)
        guard exchanges.add(exchange, of: task.taskIdentifier) else { throw .cancelled }
        task.resume()
        defer { exchanges.remove(task.taskIdentifier) }

        do throws(WebFailure) {
            return try exchange.wait()
        } catch {
            task.cancel()
            throw error
        }
    }

    private func task(_ request: URLRequest, body: WebRequest.Body) -> URLSessionTask {
        var request = request
        switch body {
        case .none: return session.dataTask(with: request)
        case .file(_, byteCount: 0):
            // A put of nothing still has to say how long it is.
            request.httpBody = Data()
            request.setValue("0", forHTTPHeaderField: "Content-Length")
            return session.dataTask(with: request)
        case .bytes(let bytes):
            request.httpBody = Data(bytes)
            return session.dataTask(with: request)
        case .file(let path, _):
            return session.uploadTask(with: request, fromFile: URL(fileURLWithPath: path))
        }
    }

    /// Ends every exchange with ``WebFailure/cancelled``, those to come included.
    ///
    /// Any thread may call it, while others wait in ``send(_:)``.
    func stop() { exchanges.stop() }
}

/// The exchanges under way, by the number that URLSession gave them.
private final class WebExchangeTable: Sendable {
    private struct State {
        var exchanges: [Int: WebExchange] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())

    /// - Returns: false after a stop.
    func add(_ exchange: WebExchange, of number: Int) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.exchanges[number] = exchange
            return true
        }
    }

    func remove(_ number: Int) { state.withLock { $0.exchanges[number] = nil } }

    subscript(_ task: URLSessionTask) -> WebExchange? {
        state.withLock { $0.exchanges[task.taskIdentifier] }
    }

    func stop() {
        let exchanges = state.withLock { state in
            state.isStopped = true
            return Array(state.exchanges.values)
        }
        for exchange in exchanges { exchange.end(.failure(.cancelled)) }
    }
}

/// One exchange: filled by URLSession's thread, waited for by the caller's.
private final class WebExchange: Sendable {
    private struct State {
        var movedAt = MonotonicClock.now()
        /// Bytes have gone out or come in, so the connection stands.
        var isConnected = false
        var answer: WebAnswer?
        var result: Result<WebAnswer, WebFailure>?
    }

    private let limits: WebLimits
    private let hasBody: Bool
    private let state = Mutex(State())
    private let hasEnded = DispatchSemaphore(value: 0)

    init(limits: WebLimits, hasBody: Bool) {
        self.limits = limits
        self.hasBody = hasBody
    }

    func wait() throws(WebFailure) -> WebAnswer {
        while true {
            let left = deadline - MonotonicClock.now()
            guard left > .zero else { throw timeOut() }
            let milliseconds = Int(left.milliseconds) + 1
            guard hasEnded.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else {
                continue
            }
            return try result()
        }
    }

    /// Without a body nothing shows that the connection stands before the answer begins.
    private var deadline: Duration {
        state.withLock { state in
            let isConnecting = hasBody && !state.isConnected
            return state.movedAt
                + (isConnecting ? limits.connectDuration : limits.silenceDuration)
        }
    }

    private func timeOut() -> WebFailure {
        state.withLock { hasBody && !$0.isConnected } ? .connectTimedOut : .timedOut
    }

    private func result() throws(WebFailure) -> WebAnswer {
        guard let result = state.withLock({ $0.result }) else {
            preconditionFailure("an exchange has ended without a result")
        }
        return try result.get()
    }

    func moved() {
        state.withLock { state in
            state.movedAt = MonotonicClock.now()
            state.isConnected = true
        }
    }

    func responded(_ response: HTTPURLResponse) {
        moved()
        // 1xx are followed by the answer itself.
        guard response.statusCode >= 200 else { return }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            headers["\(name)".lowercased()] = "\(value)"
        }
        let answer = WebAnswer(status: response.statusCode, headers: headers)
        state.withLock { $0.answer = answer }
    }

    func received(_ data: Data) {
        moved()
        let isTooLong = state.withLock { state -> Bool in
            data.withUnsafeBytes { state.answer?.body.append(contentsOf: $0) }
            return (state.answer?.body.count ?? 0) > limits.answerByteCountMax
        }
        if isTooLong {
            end(.failure(.answerTooLong(byteCountMax: limits.answerByteCountMax)))
        }
    }

    func completed(_ error: (any Error)?, response: HTTPURLResponse?) {
        let isUntold = state.withLock { $0.answer == nil }
        if isUntold, error == nil, let response { responded(response) }
        let (answer, isConnected) = state.withLock { ($0.answer, $0.isConnected) }
        if error == nil || (error as? URLError)?.code == .cancelled && answer?.status == 401,
            let answer
        {
            end(.success(answer))
        } else {
            end(.failure(Self.failure(error, isConnected: isConnected)))
        }
    }

    /// Codes alone cannot be trusted: a refused first address colours the failure of the second.
    private static func failure(_ error: (any Error)?, isConnected: Bool) -> WebFailure {
        guard !isConnected, let error = error as? URLError else { return .connectionLost }
        switch error.code {
        case .cannotFindHost, .dnsLookupFailed: return .nameNotResolved
        case .cannotConnectToHost: return .connectionRefused
        case .timedOut: return .connectTimedOut
        case .networkConnectionLost: return .connectionLost
        default:
            let text = error.localizedDescription
            let isTLS = ["ssl", "tls", "certificate"].contains { text.lowercased().contains($0) }
            return isTLS ? .tlsFailed(text) : .connectionFailed
        }
    }

    /// The first end counts.
    func end(_ result: Result<WebAnswer, WebFailure>) {
        let isFirst = state.withLock { state -> Bool in
            guard state.result == nil else { return false }
            state.result = result
            return true
        }
        if isFirst { hasEnded.signal() }
    }
}

/// Passes URLSession's callbacks on.
private final class WebDelegate: NSObject, URLSessionDataDelegate {
    private let exchanges: WebExchangeTable

    init(exchanges: WebExchangeTable) { self.exchanges = exchanges }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler:
            @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        completionHandler(.rejectProtectionSpace, nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData byteCount: Int64,
        totalBytesSent: Int64, totalBytesExpectedToSend: Int64
    ) {
        exchanges[task]?.moved()
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        if let response = response as? HTTPURLResponse { exchanges[dataTask]?.responded(response) }
        completionHandler(.allow)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data
    ) {
        exchanges[dataTask]?.received(data)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        exchanges[task]?.completed(error, response: task.response as? HTTPURLResponse)
    }
}
