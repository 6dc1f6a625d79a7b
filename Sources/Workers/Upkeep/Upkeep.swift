import Base
import Queue
import Synchronization

/// Keeps the queue small: purges, expires, checkpoints, and minds the disk.
///
/// One thread.
///
/// It looks once a second, and goes on at once while there is more to do. Any number of workers may
/// run it beside each other: each slice is a transaction of its own, and what one has removed the
/// other does not find.
final class Upkeep: Sendable {
    private let location: QueueLocation
    private let gate: Gate
    private let settings: UpkeepSettings
    private let log: Log
    private let metrics: UpkeepMetrics
    private let wakeUp: WakeUp
    private let thread = Mutex<PoolThread?>(nil)
    private let isStopping = Atomic<Bool>(false)

    private static let interval = Duration.seconds(1)

    /// Starts nothing.
    ///
    /// - Throws: ``SystemError`` where the process has no descriptor left.
    init(
        location: QueueLocation,
        gate: Gate,
        settings: UpkeepSettings,
        log: Log,
        metrics: MetricsRegistry
    ) throws(SystemError) {
        self.location = location
        self.gate = gate
        self.settings = settings
        self.log = log
        self.metrics = UpkeepMetrics(metrics)
        wakeUp = try WakeUp()
    }

    /// Starts the thread; to be called once.
    func start() {
        thread.withLock { thread in
            precondition(thread == nil, "upkeep starts once")
            thread = PoolThread(name: "upkeep") { [self] in run() }
        }
    }

    /// Looks now rather than at the next second.
    func wake() { wakeUp.signal() }

    /// Returns when the thread has ended, after the slice at hand.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeUp.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        started?.join()
    }

    private func run() {
        var trouble = QueueTrouble(log: log, name: "upkeep")
        var housekeeper: Housekeeper?
        while !isStopping.load(ordering: .acquiring) {
            var delay = Self.interval
            do throws(QueueError) {
                let opened = if let housekeeper { housekeeper } else { try makeHousekeeper() }
                housekeeper = opened
                if try opened.turn(now: .now()) { delay = .zero }
                trouble.passed()
            } catch {
                delay = trouble.met(error)
            }
            _ = wakeUp.wait(timeout: delay)
        }
    }

    private func makeHousekeeper() throws(QueueError) -> Housekeeper {
        Housekeeper(
            session: try QueueSession.open(location, gate: gate, as: .upkeep),
            settings: settings, metrics: metrics, log: log)
    }
}
