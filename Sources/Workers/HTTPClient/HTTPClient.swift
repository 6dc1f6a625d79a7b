import Base

/// Sends requests and reports each one's end exactly once: `http:` over ``PlainClient``, `https:`
/// over ``SessionClient``.
///
/// Not `Sendable`: a thread owns it. It keeps no clock and no thread for plain HTTP:
///
///     send … ─▶ wait for `descriptor`, the wake, or `nextDeadline` ─▶ expire ─▶ takeEnded
final class HTTPClient {
    private let plain: PlainClient
    private let limits: HTTPLimits
    private let ended: Inbox<HTTPCompletion>
    /// Made with the first request that needs it.
    private var session: SessionClient?

    /// - Parameters:
    ///   - limits: bounds of every exchange that is not given others.
    ///   - wake: called on some thread when an exchange over TLS has ended; must not block.
    /// - Throws: ``SystemError`` where the process has no descriptor left.
    init(limits: HTTPLimits, wake: @escaping @Sendable () -> Void) throws(SystemError) {
        plain = try PlainClient()
        self.limits = limits
        ended = Inbox(wake: wake)
    }

    /// Readable when plain exchanges have something to do in ``takeEnded()``.
    var descriptor: Int32 { plain.descriptor }

    /// Starts an exchange and never blocks.
    ///
    /// - Parameters:
    ///   - request: its URL is one that the configuration let pass.
    ///   - limits: of this exchange; nil: those of the client.
    ///   - ticket: comes back with the end; not that of another exchange under way.
    func send(_ request: HTTPRequest, limits: HTTPLimits? = nil, ticket: Int) {
        guard let address = WebAddress(request.url) else {
            preconditionFailure("the configuration let a URL pass that is none")
        }
        let limits = limits ?? self.limits
        if address.isEncrypted {
            encrypted().send(request, limits: limits, ticket: ticket)
        } else {
            plain.send(request, to: address, limits: limits, ticket: ticket)
        }
    }

    private func encrypted() -> SessionClient {
        if let session { return session }
        let made = SessionClient(limits: limits) { [ended] in ended.put($0) }
        session = made
        return made
    }

    /// Does what can be done without waiting.
    ///
    /// - Returns: the exchanges that have ended since the last call.
    func takeEnded() -> [HTTPCompletion] {
        plain.work()
        return plain.takeEnded() + ended.takeAll()
    }

    /// When the next exchange runs out of time, on the monotonic clock; nil: none is under way.
    var nextDeadline: Duration? {
        [plain.nextDeadline, session?.nextDeadline].compactMap { $0 }.min()
    }

    /// Ends what has run out of time.
    func expire(now: Duration) {
        plain.expire(now: now)
        session?.expire(now: now)
    }

    /// Gives up everything under way; the ends are `.cancelled`.
    func cancelAll() {
        plain.cancelAll()
        session?.cancelAll()
    }

    /// Gives up everything and lets go; nothing may be sent afterwards.
    func close() {
        cancelAll()
        session?.close()
    }
}
