import Base
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends requests over URLSession, for TLS alone, and reports each one's end exactly once.
///
/// The address is chosen by libcurl and not checked as ``PlainClient`` does: a server that cannot
/// prove the name in FORWARD_URL is sent nothing.
///
/// What URLSession on Linux does by itself, and what is done about it:
/// - It follows redirects, stores cookies and credentials, and caches: all refused.
/// - It takes proxies from the environment whatever its configuration says: see `ProxyExemption`.
/// - It answers a 401 with an authentication challenge that may never end: refused, the 401 counts.
/// - It has no time-out for connecting: a request whose body was not asked for is not connected.
/// - It adds `Accept-Encoding` and decodes: `identity` is sent, so that an answer stays as it is.
///
/// It keeps no clock: its owner calls `expire(now:)` when `nextDeadline` has come.
final class SessionClient: Sendable {
    private static let neverDuration = Duration.seconds(86_400)

    private let exchanges: HTTPExchangeTable
    private let session: URLSession

    /// - Parameters:
    ///   - limits: how many connections there may be to one host.
    ///   - report: called once for each exchange, on some thread; must not block.
    init(limits: HTTPLimits, report: @escaping @Sendable (HTTPCompletion) -> Void) {
        exchanges = HTTPExchangeTable(report: report)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.httpMaximumConnectionsPerHost = limits.connectionsMax
        // The deadlines are ours; URLSession's own must only never come first.
        configuration.timeoutIntervalForRequest = Self.neverDuration.secondsFraction
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        queue.name = "http-client"
        session = URLSession(
            configuration: configuration,
            delegate: HTTPDelegate(exchanges: exchanges),
            delegateQueue: queue
        )
    }

    /// Starts an exchange and never blocks.
    ///
    /// - Parameters:
    ///   - request: its URL is one that the configuration let pass.
    ///   - limits: of this exchange.
    ///   - ticket: comes back with the report, which may come before this returns.
    func send(_ request: HTTPRequest, limits: HTTPLimits, ticket: Int) {
        guard let url = URL(string: request.url) else {
            preconditionFailure("the configuration let a URL pass that is none")
        }
        var urlRequest = URLRequest(url: url)
        urlRequest.httpMethod = request.method
        urlRequest.httpBody = Data(request.body)
        urlRequest.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        for header in request.headers {
            urlRequest.setValue(header.value, forHTTPHeaderField: header.name)
        }
        let task = session.dataTask(with: urlRequest)
        exchanges.add(task, limits: limits, ticket: ticket)
        task.resume()
    }

    /// When the next exchange runs out of time, on the monotonic clock; nil: none is under way.
    var nextDeadline: Duration? { exchanges.nextDeadline }

    /// Ends what has run out of time; its reports come before this returns.
    func expire(now: Duration) { exchanges.expire(now: now) }

    /// Gives up everything under way; its reports, `.cancelled`, come before this returns.
    func cancelAll() { exchanges.cancelAll() }

    /// Lets go of the session; nothing may be sent afterwards.
    func close() {
        cancelAll()
        session.invalidateAndCancel()
    }
}

/// The exchanges under way; each leaves the table with its one report.
private final class HTTPExchangeTable: Sendable {
    private struct Exchange {
        let ticket: Int
        let limits: HTTPLimits
        let task: URLSessionDataTask
        let startedAt: Timestamp
        let started: Duration
        var isConnected = false
        var status: Int?
        var retryAfter: String?
        var contentType: String?
        var body: [UInt8] = []
        var byteCount = 0

        var answer: HTTPAnswer? {
            status.map {
                HTTPAnswer(
                    status: $0, retryAfter: retryAfter, contentType: contentType, body: body)
            }
        }
    }

    private let report: @Sendable (HTTPCompletion) -> Void
    private let exchanges = Mutex<[Int: Exchange]>([:])

    init(report: @escaping @Sendable (HTTPCompletion) -> Void) { self.report = report }

    func add(_ task: URLSessionDataTask, limits: HTTPLimits, ticket: Int) {
        let exchange = Exchange(
            ticket: ticket, limits: limits, task: task, startedAt: .now(),
            started: MonotonicClock.now())
        exchanges.withLock { $0[task.taskIdentifier] = exchange }
    }

    func connected(_ task: URLSessionTask) {
        exchanges.withLock { $0[task.taskIdentifier]?.isConnected = true }
    }

    func responded(_ task: URLSessionTask, with response: URLResponse) {
        // 1xx are followed by the answer itself.
        guard let response = response as? HTTPURLResponse, response.statusCode >= 200 else {
            return
        }
        exchanges.withLock {
            $0[task.taskIdentifier]?.status = response.statusCode
            $0[task.taskIdentifier]?.retryAfter = response.value(forHTTPHeaderField: "Retry-After")
            $0[task.taskIdentifier]?.contentType = response.value(
                forHTTPHeaderField: "Content-Type")
        }
    }

    func received(_ task: URLSessionTask, data: Data) {
        let isTooMuch = exchanges.withLock { exchanges -> Bool in
            guard var exchange = exchanges[task.taskIdentifier] else { return false }
            let room = exchange.limits.answerBytesKept - exchange.body.count
            if room > 0 { exchange.body.append(contentsOf: data.prefix(room)) }
            exchange.byteCount += data.count
            exchanges[task.taskIdentifier] = exchange
            return exchange.byteCount > exchange.limits.answerBytesMax
        }
        guard isTooMuch else { return }
        finish(task.taskIdentifier) { exchange in
            exchange.answer.map { .answered($0) } ?? .failed(.connectionLost)
        }
        task.cancel()
    }

    func completed(_ task: URLSessionTask, error: Error?) {
        finish(task.taskIdentifier) { exchange in
            let isChallenge = (error as? URLError)?.code == .cancelled && exchange.status == 401
            if error == nil || isChallenge, let answer = exchange.answer {
                return .answered(answer)
            }
            return .failed(Self.failure(error, isConnected: exchange.isConnected))
        }
    }

    /// Codes alone cannot be trusted: a refused first address colours the failure of the second.
    private static func failure(_ error: Error?, isConnected: Bool) -> HTTPFailure {
        guard !isConnected, let error = error as? URLError else { return .connectionLost }
        switch error.code {
        case .cannotFindHost, .dnsLookupFailed: return .nameNotResolved
        case .cannotConnectToHost: return .connectionRefused
        case .timedOut: return .connectTimedOut
        case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
            return .tlsFailed
        default:
            let text = error.localizedDescription.lowercased()
            let isTLS = ["ssl", "tls", "certificate"].contains { text.contains($0) }
            return isTLS ? .tlsFailed : .connectionFailed
        }
    }

    private func deadline(of exchange: Exchange) -> Duration {
        let limits = exchange.limits
        return exchange.started
            + (exchange.isConnected
                ? limits.answerDuration : min(limits.connectDuration, limits.answerDuration))
    }

    var nextDeadline: Duration? {
        exchanges.withLock { exchanges in
            exchanges.values.map(deadline(of:)).min()
        }
    }

    func expire(now: Duration) {
        let expired = exchanges.withLock { exchanges in
            exchanges.filter { deadline(of: $0.value) <= now }
        }
        for (identifier, exchange) in expired {
            finish(identifier) { .failed($0.isConnected ? .timedOut : .connectTimedOut) }
            exchange.task.cancel()
        }
    }

    func cancelAll() {
        let all = exchanges.withLock { $0 }
        for (identifier, exchange) in all {
            finish(identifier) { _ in .failed(.cancelled) }
            exchange.task.cancel()
        }
    }

    /// Removes the exchange and reports it; does nothing where that has happened.
    private func finish(_ identifier: Int, _ result: (Exchange) -> HTTPCompletion.Result) {
        guard let exchange = exchanges.withLock({ $0.removeValue(forKey: identifier) }) else {
            return
        }
        report(
            HTTPCompletion(
                ticket: exchange.ticket,
                result: result(exchange),
                startedAt: exchange.startedAt,
                duration: MonotonicClock.now() - exchange.started
            ))
    }
}

/// Passes URLSession's callbacks on.
private final class HTTPDelegate: NSObject, URLSessionDataDelegate {
    private let exchanges: HTTPExchangeTable

    init(exchanges: HTTPExchangeTable) { self.exchanges = exchanges }

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
        exchanges.connected(task)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        exchanges.responded(dataTask, with: response)
        completionHandler(.allow)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data
    ) {
        exchanges.received(dataTask, data: data)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        exchanges.completed(task, error: error)
    }
}
