import Base
import Glibc

/// HTTP/1.1 without TLS over sockets of its own, many exchanges at once on one thread.
///
/// Promises:
/// - Nothing stands between it and the server: no proxy, no redirect, no cookie, no cache.
/// - It connects to the address it has checked: see ``ServerAddress/isRefused``.
/// - A request goes out a second time only where no byte of it can have been read the first time:
///   on a kept connection that the server had given up.
/// - Each exchange has one end, in ``takeEnded()``.
///
/// Not `Sendable`: a thread owns it, waits for ``descriptor``, and then calls ``work()``.
final class PlainClient {
    /// A connection that was not used for so long is closed, before a server that gives each
    /// connection a process (Apache's prefork) runs out of them.
    static let idleDurationMax = Duration.seconds(4)

    private let ready: ReadySet
    private let resolver: NameResolver
    private let resolved: WakeUp
    private static let resolvedToken: UInt64 = 0

    private var exchanges: [Int: PlainExchange] = [:]
    private var connections: [UInt64: PlainConnection] = [:]
    private var idle: [String: [PlainConnection]] = [:]
    private var nextNumber: UInt64 = 1
    private var ended: [HTTPCompletion] = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    /// - Throws: ``SystemError`` where the process has no descriptor left.
    init() throws(SystemError) {
        ready = try ReadySet()
        let resolved = try WakeUp()
        self.resolved = resolved
        resolver = NameResolver { resolved.signal() }
        try ready.add(resolved.descriptor, token: Self.resolvedToken)
    }

    /// Readable when ``work()`` has something to do.
    var descriptor: Int32 { ready.descriptor }

    /// Starts an exchange and never blocks; its end may come at once.
    func send(_ request: HTTPRequest, to address: WebAddress, limits: HTTPLimits, ticket: Int) {
        let exchange = PlainExchange(request, address: address, ticket: ticket, limits: limits)
        exchanges[ticket] = exchange
        if let connection = takeIdle(address.authority) {
            exchange.isOnUsedConnection = true
            connection.take(exchange)
            advance(connection, mayRead: false)
        } else {
            findAddresses(for: exchange)
        }
    }

    private func takeIdle(_ authority: String) -> PlainConnection? {
        while let connection = idle[authority]?.popLast() {
            if connection.isQuiet { return connection }
            drop(connection)
        }
        return nil
    }

    /// Does what can be done without waiting.
    func work() {
        for change in ready.changes() {
            if change.token == Self.resolvedToken {
                resolved.drain()
                for exchange in exchanges.values where exchange.connection == nil {
                    findAddresses(for: exchange)
                }
            } else if let connection = connections[change.token] {
                if connection.exchange == nil {
                    // Whatever comes without a question is a farewell.
                    drop(connection)
                } else {
                    advance(connection, mayRead: true)
                }
            }
        }
    }

    /// The exchanges that have ended since the last call, in the order of their ends.
    func takeEnded() -> [HTTPCompletion] {
        defer { ended = [] }
        return ended
    }

    /// When ``expire(now:)`` has something to do, on the monotonic clock; nil: nothing waits.
    var nextDeadline: Duration? {
        if !ended.isEmpty { return .zero }
        let busy = exchanges.values.lazy.map(\.nextDeadline).min()
        let resting = idle.values.lazy.compactMap { $0.first?.idleSince }.min()
            .map { $0 + Self.idleDurationMax }
        return [busy, resting].compactMap { $0 }.min()
    }

    /// Ends what has run out of time, and closes what was idle for too long.
    func expire(now: Duration) {
        for exchange in exchanges.values where exchange.nextDeadline <= now {
            let isConnected = exchange.connection?.isConnected ?? false
            finish(exchange, .failed(isConnected ? .timedOut : .connectTimedOut))
        }
        for authority in idle.keys {
            while let oldest = idle[authority]?.first,
                oldest.idleSince + Self.idleDurationMax <= now
            {
                drop(oldest)
            }
        }
    }

    /// Gives up everything under way.
    func cancelAll() {
        for exchange in exchanges.values { finish(exchange, .failed(.cancelled)) }
    }

    // MARK: Connecting

    private func findAddresses(for exchange: PlainExchange) {
        let host = exchange.address.host
        let port = exchange.address.port
        let found = resolver.addresses(of: host, port: port, now: MonotonicClock.now())
        guard let found else { return }
        guard !found.isEmpty else {
            resolver.forgetFailure(of: host, port: port)
            return finish(exchange, .failed(.nameNotResolved))
        }
        exchange.addressesLeft = found.filter { !$0.isRefused }[...]
        connectNext(exchange, after: .addressRefused)
    }

    private func connectNext(_ exchange: PlainExchange, after failure: HTTPFailure) {
        var failure = failure
        while let address = exchange.addressesLeft.popFirst() {
            switch PlainConnection.begin(address) {
            case .success(let socket):
                if open(Descriptor(adopting: socket), for: exchange) { return }
                failure = .connectionFailed
            case .failure(let error):
                failure = Self.failure(code: error.code)
            }
        }
        finish(exchange, .failed(failure))
    }

    private func open(_ socket: consuming Descriptor, for exchange: PlainExchange) -> Bool {
        let connection = PlainConnection(
            number: nextNumber, socket: socket, authority: exchange.address.authority)
        nextNumber += 1
        do throws(SystemError) {
            try ready.add(connection.socket.rawValue, token: connection.number)
        } catch {
            return false
        }
        connections[connection.number] = connection
        connection.take(exchange)
        return true
    }

    private static func failure(code: Int32) -> HTTPFailure {
        switch code {
        case ECONNREFUSED: .connectionRefused
        case ETIMEDOUT: .connectTimedOut
        default: .connectionFailed
        }
    }

    // MARK: Writing and reading

    private func advance(_ connection: PlainConnection, mayRead: Bool) {
        guard let exchange = connection.exchange else { return }
        if !connection.isConnected {
            let code = connection.connectCode
            guard code == 0 else {
                drop(connection)
                return connectNext(exchange, after: Self.failure(code: code))
            }
            connection.isConnected = true
        }
        let progress = connection.write(exchange.bytes, from: &exchange.writtenCount)
        if case .failed = progress, !mayRead { return lost(exchange) }
        // A server may answer, with 413 say, before it has read everything.
        if mayRead { read(connection, exchange) }
    }

    private func read(_ connection: PlainConnection, _ exchange: PlainExchange) {
        while true {
            let (progress, count) = connection.read(into: &buffer)
            switch progress {
            case .later:
                return
            case .failed:
                return lost(exchange)
            case .done:
                let reading =
                    count > 0 ? exchange.parser.take(buffer[..<count]) : exchange.parser.end()
                switch reading {
                case .needsMore: continue
                case .malformed:
                    if count == 0 { return lost(exchange) }
                    return finish(exchange, .failed(.malformedAnswer))
                case .complete(let answer, let isReusable):
                    let isWhole = exchange.writtenCount == exchange.bytes.count
                    return finish(exchange, .answered(answer), keeps: isReusable && isWhole)
                }
            }
        }
    }

    /// The connection ended before the answer did.
    private func lost(_ exchange: PlainExchange) {
        guard let connection = exchange.connection, exchange.isOnUsedConnection,
            !exchange.parser.hasBegun, exchange.writtenCount == 0 || connection.nothingArrived
        else { return finish(exchange, .failed(.connectionLost)) }
        drop(connection)
        exchange.writtenCount = 0
        exchange.isOnUsedConnection = false
        findAddresses(for: exchange)
    }

    // MARK: Ending

    private func finish(
        _ exchange: PlainExchange, _ result: HTTPCompletion.Result, keeps: Bool = false
    ) {
        exchanges[exchange.ticket] = nil
        if let connection = exchange.connection {
            connection.exchange = nil
            exchange.connection = nil
            if keeps { rest(connection) } else { drop(connection) }
        }
        ended.append(
            HTTPCompletion(
                ticket: exchange.ticket, result: result, startedAt: exchange.startedAt,
                duration: MonotonicClock.now() - exchange.started))
    }

    private func rest(_ connection: PlainConnection) {
        connection.idleSince = MonotonicClock.now()
        idle[connection.authority, default: []].append(connection)
    }

    /// Closes a connection; what was on it is no longer.
    private func drop(_ connection: PlainConnection) {
        connections[connection.number] = nil
        connection.exchange?.connection = nil
        connection.exchange = nil
        idle[connection.authority]?.removeAll { $0 === connection }
    }
}
