import Base
import Dispatch
import Foundation
import Queue
import Synchronization

/// The forward pool: one thread, one lock, a lane for each destination.
///
/// One per queue, in whichever process: what is under way is known to its holder alone.
final class ForwardWorker: Sendable {
    /// Requests under way may take this long to end after a stop was asked for.
    static let stopDurationMax = Duration.seconds(25)

    private let location: QueueLocation
    private let gate: Gate
    private let settings: ForwardSettings
    private let log: Log
    private let metrics: ForwardMetrics
    private let watcher: QueueWatcher
    private let lock: FileLock
    private let stopRequest = StopRequest()
    private let ended = DispatchSemaphore(value: 0)
    private let onFailure: @Sendable (QueueError) -> Void

    /// Takes the pool's lock and makes sure that the queue can be opened.
    ///
    /// - Parameters:
    ///   - location: the queue; made or migrated where needed.
    ///   - gate: the process's one gate.
    ///   - settings: read from the configuration.
    ///   - log: for what a person has to know.
    ///   - metrics: where the pool's numbers are registered.
    ///   - onFailure: called on the pool's thread when it ends with an error no waiting can mend.
    /// - Throws: ``PoolError``.
    init(
        location: QueueLocation, gate: Gate, settings: ForwardSettings, log: Log,
        metrics: MetricsRegistry, onFailure: @escaping @Sendable (QueueError) -> Void
    ) throws(PoolError) {
        self.location = location
        self.gate = gate
        self.settings = settings
        self.log = log
        self.onFailure = onFailure
        lock = try PoolError.lock(location.forwardLockPath, pool: "forward")
        do throws(QueueError) {
            _ = try QueueSession.open(location, gate: gate, as: .forward)
            watcher = try QueueWatcher(location)
        } catch {
            throw .queue(error)
        }
        self.metrics = ForwardMetrics(metrics)
    }

    /// Starts the thread.
    func start() {
        let thread = Thread { [self] in
            defer { ended.signal() }

            do throws(QueueError) {
                try work()
            } catch {
                log.error("forward ends", ["reason": .describing(error)])
                onFailure(error)
            }
        }
        thread.name = "forward"
        thread.start()
    }

    /// Stops claiming, and blocks until what is under way has ended or was given up.
    ///
    /// What is given up is released: it was never counted as failed.
    ///
    /// - Parameter limit: how long requests under way may take to end.
    func stop(within limit: Duration = ForwardWorker.stopDurationMax) {
        let longest = settings.routedDestinations.map(\.limits.answerDuration).max() ?? .zero
        let patience = min(max(settings.answerDurationMax, longest), limit)
        stopRequest.make(deadline: MonotonicClock.now() + patience)
        watcher.signal()
        ended.wait()
        lock.release()
    }

    private func work() throws(QueueError) {
        let session = try QueueSession.open(location, gate: gate, as: .forward)
        let client: HTTPClient
        do throws(SystemError) {
            client = try HTTPClient(
                limits: settings.defaultDestination.limits
            ) { [watcher] in watcher.signal() }
        } catch {
            throw .file(error)
        }
        let loop = try ForwardLoop(
            session: session, watcher: watcher, client: client, settings: settings, log: log,
            metrics: metrics)
        try loop.run(until: stopRequest)
    }
}

/// Asks a thread to end, and says until when it may finish what it has begun.
final class StopRequest: Sendable {
    private let moment = Mutex<Duration?>(nil)

    /// - Parameter deadline: on the monotonic clock; the first request counts.
    func make(deadline: Duration) {
        moment.withLock { $0 = $0 ?? deadline }
    }

    /// Nil while nobody asked.
    var deadline: Duration? { moment.withLock { $0 } }
}
