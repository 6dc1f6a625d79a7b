import CLinux
import Dispatch
import Foundation
import Synchronization

/// Shows how a program is, on a port of its own: `/metrics`, `/healthz`, `/readyz`.
///
/// One thread, one connection at a time, each bound in time and size, so that whoever asks cannot
/// take anything from the data path. GET and HEAD only; no names or versions are told. It is for
/// the operator's own network.
public final class AdminEndpoint: Sendable {
    /// Longest time for one request and its answer.
    static let exchangeTimeMax = Duration.seconds(2)

    /// The port it listens on: the kernel's choice where the address says 0.
    public let port: UInt16

    private let answers: AdminAnswers
    private let stopSignal: WakeUp
    private let stopped = DispatchSemaphore(value: 0)
    /// Until the thread takes it over, or it is closed unused.
    private let listener: Mutex<Descriptor?>
    private let phase = Mutex(Phase.idle)

    private enum Phase {
        case idle
        case running
        case stopped
    }

    /// Binds the port; nobody is answered before ``start()``.
    ///
    /// - Parameters:
    ///   - address: where to listen.
    ///   - metrics: what `/metrics` shows.
    ///   - readiness: `nil` when ready, else the reason; called on the endpoint's thread.
    ///   - refresh: called there before metrics are rendered, for gauges that are costly to read.
    /// - Throws: ``SystemError`` with the address as its path, of `bind` where the port is taken.
    public init(
        address: ListenAddress,
        metrics: MetricsRegistry,
        readiness: @escaping @Sendable () -> String?,
        refresh: @escaping @Sendable () -> Void = {}
    ) throws(SystemError) {
        answers = AdminAnswers(metrics: metrics, readiness: readiness, refresh: refresh)
        stopSignal = try WakeUp()
        let socket = try address.listen(backlog: 64)
        port = ListenAddress.localPort(of: socket.rawValue)
        listener = Mutex(socket)
    }

    /// Starts to answer, on a thread of its own; does nothing the second time.
    public func start() {
        let isFirst = phase.withLock { phase -> Bool in
            guard phase == .idle else { return false }
            phase = .running
            return true
        }
        guard isFirst else { return }
        let thread = Thread { [self] in
            run()
            stopped.signal()
        }
        thread.name = "admin"
        thread.start()
    }

    /// Stops answering and gives the port back; a request that is under way is cut off.
    ///
    /// Blocks until the thread has ended, at most as long as `readiness` or `refresh` take.
    public func stop() {
        let wasRunning = phase.withLock { phase -> Bool in
            defer { phase = .stopped }
            return phase == .running
        }
        if wasRunning {
            stopSignal.signal()
            stopped.wait()
        }
        listener.withLock { $0 = nil }
    }

    /// The thread's whole life; the port is free when it ends.
    private func run() {
        guard let socket = listener.withLock({ $0.take() }) else { return }
        let waits = [
            pollfd(fd: stopSignal.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        while Poll.wait(waits, timeout: nil) == 1 {
            let accepted = clinux_accept4(socket.rawValue, nil, nil, Self.acceptFlags)
            guard accepted >= 0 else {
                // No descriptor left, say: the connection stays in the queue, so waiting for it
                // would turn in a circle.
                if errno != EAGAIN, errno != EINTR, errno != ECONNABORTED, isStopped(within: 100) {
                    return
                }
                continue
            }
            let connection = AdminConnection(
                adopting: Descriptor(adopting: accepted),
                stopDescriptor: stopSignal.descriptor,
                timeMax: Self.exchangeTimeMax
            )
            connection.serve(answers.answer)
        }
    }

    private func isStopped(within milliseconds: Int) -> Bool {
        Poll.wait(stopSignal.descriptor, for: POLLIN, timeout: .milliseconds(milliseconds))
    }

    private static let acceptFlags =
        Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
}

/// What is answered to which request.
struct AdminAnswers: Sendable {
    let metrics: MetricsRegistry
    let readiness: @Sendable () -> String?
    let refresh: @Sendable () -> Void

    func answer(_ request: AdminRequest) -> AdminAnswer {
        switch request {
        case .malformed:
            return AdminAnswer(status: 400, text: "not an HTTP request\n")
        case .otherMethod:
            return AdminAnswer(status: 405, text: "GET and HEAD only\n")
        case .get(let path, let isHead):
            var answer = answer(path: path)
            answer.hasBody = !isHead
            return answer
        }
    }

    private func answer(path: String) -> AdminAnswer {
        switch path {
        case "/metrics":
            refresh()
            return AdminAnswer(
                status: 200, text: metrics.render(),
                contentType: "text/plain; version=0.0.4; charset=utf-8"
            )
        case "/healthz":
            return AdminAnswer(status: 200, text: "ok\n")
        case "/readyz":
            guard let reason = readiness() else { return AdminAnswer(status: 200, text: "ready\n") }
            return AdminAnswer(status: 503, text: reason + "\n")
        default:
            return AdminAnswer(status: 404, text: "/metrics, /healthz, /readyz\n")
        }
    }
}
