import AWS
import Base
import Queue
import Synchronization

/// Why a lake pool could not be made; one line that says what to do.
enum LakePoolError: Error, CustomStringConvertible {
    /// Another process runs the lake pool of this queue.
    case alreadyRuns(lockPath: String)
    /// The lock file cannot be made, or the process has no descriptors left.
    case system(SystemError)
    case queue(QueueError)

    var description: String {
        switch self {
        case .alreadyRuns(let lockPath):
            "another workers process runs the lake pool of this queue (it holds \(lockPath)): "
                + "stop it first, or start this one with --pool forward"
        case .system(let error): error.description
        case .queue(let error): error.description
        }
    }
}

/// The lake consumer: statuses of the log become objects in the lake, each status once.
///
///     log ─▶ Sealer ─▶ spool file + batch in the books ─▶ Shipper ─▶ lake
///
/// Two threads, each with a session of its own, so that a lake that is slow or down holds up no
/// sealing, and the disk is the only buffer between them. Invariants:
/// - Nothing leaves the machine before the commit that names it is synced.
/// - A spool file goes only after the lake holds its object and the books say so.
/// - What no book holds is made again from the log; so a stop may come at any moment.
final class LakePool: Sendable {
    private let location: QueueLocation
    private let gate: Gate
    private let settings: LakeSettings
    private let log: Log
    private let health = LakeHealth()
    private let metrics: LakeMetrics
    private let lock: FileLock
    /// Wakes the sealer: the queue has changed, or it is to stop.
    private let watcher: QueueWatcher
    /// Wakes the shipper: a batch was sealed, or it is to stop.
    private let sealed: WakeUp
    private let threads = Mutex<[PoolThread]>([])
    private let sealerIsStopping = Atomic<Bool>(false)
    private let shipperIsStopping = Atomic<Bool>(false)
    /// Ends what the lake is doing; set once there is a lake.
    private let interrupt = Mutex<(@Sendable () -> Void)?>(nil)

    /// How long a stop goes on shipping batches that are sealed already.
    private static let farewellDuration = Duration.seconds(2)

    /// Takes the pool's lock; starts nothing.
    ///
    /// - Throws: ``LakePoolError``, where another process holds the lock for example.
    init(
        location: QueueLocation,
        gate: Gate,
        settings: LakeSettings,
        log: Log,
        metrics: MetricsRegistry
    ) throws(LakePoolError) {
        self.location = location
        self.gate = gate
        self.settings = settings
        self.log = log
        self.metrics = LakeMetrics(metrics, health: health)
        do throws(SystemError) {
            guard let lock = try FileLock.acquire(path: location.lakeLockPath) else {
                throw SystemError(call: "flock", code: 0)
            }
            self.lock = lock
            sealed = try WakeUp()
        } catch {
            throw error.code == 0
                ? .alreadyRuns(lockPath: location.lakeLockPath) : .system(error)
        }
        do throws(QueueError) {
            watcher = try QueueWatcher(location)
        } catch {
            throw .queue(error)
        }
    }

    /// One line that says what is wrong with the lake, or nil where nothing is: for /readyz.
    var trouble: String? { health.trouble }

    /// Starts both threads; to be called once.
    func start() {
        threads.withLock { threads in
            precondition(threads.isEmpty, "a pool starts once")
            threads.append(PoolThread(name: "lake-sealer") { [self] in runSealer() })
            threads.append(PoolThread(name: "lake-shipper") { [self] in runShipper() })
        }
    }

    /// Seals what is open, ships for up to two seconds more, and returns when both threads have
    /// ended and the lock is free.
    ///
    /// What is not shipped by then waits in the spool.
    func stop() {
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        sealerIsStopping.store(true, ordering: .releasing)
        watcher.signal()
        threads.first?.join()
        shipperIsStopping.store(true, ordering: .releasing)
        sealed.signal()
        for thread in threads.dropFirst() {
            if thread.join(within: Self.farewellDuration + Self.farewellDuration) { continue }
            // A lake that says nothing must not hold up the end of the program.
            interrupt.withLock { $0 }?()
            thread.join()
        }
        lock.release()
    }
}

// MARK: - The threads

extension LakePool {
    private func runSealer() {
        var trouble = QueueTrouble(log: log, name: "lake-sealer")
        var sealer: Sealer?
        while !sealerIsStopping.load(ordering: .acquiring) {
            watcher.arm()
            do throws(QueueError) {
                let opened = if let sealer { sealer } else { try makeSealer() }
                sealer = opened
                let turn = try opened.turn(now: .now(), uptime: MonotonicClock.now())
                trouble.passed()
                switch turn {
                case .again: break
                case .wait(let duration): watcher.wait(atMost: duration)
                case .paused: rest(.seconds(1))
                }
            } catch {
                let delay = trouble.met(error)
                health.sealing(isHeldUpBy: error.description)
                rest(delay)
            }
        }
        do throws(QueueError) {
            try sealer?.finish()
        } catch {
            _ = trouble.met(error)
        }
    }

    /// Waits whatever the queue does; only a stop ends it early.
    private func rest(_ duration: Duration) {
        let deadline = MonotonicClock.now() + duration
        while !sealerIsStopping.load(ordering: .acquiring) {
            let left = deadline - MonotonicClock.now()
            guard left > .zero else { return }
            watcher.wait(atMost: left)
        }
    }

    private func makeSealer() throws(QueueError) -> Sealer {
        Sealer(
            session: try QueueSession.open(location, gate: gate, as: .lake),
            settings: settings, health: health, metrics: metrics, log: log,
            onSeal: { [sealed] in sealed.signal() })
    }

    private func runShipper() {
        var trouble = QueueTrouble(log: log, name: "lake-shipper")
        var shipper: Shipper?
        while !shipperIsStopping.load(ordering: .acquiring) {
            do throws(QueueError) {
                let opened = if let shipper { shipper } else { try makeShipper() }
                shipper = opened
                let turn = try opened.turn(
                    uptime: MonotonicClock.now(), jitter: .random(in: 0..<1),
                    shouldGoOn: { !self.shipperIsStopping.load(ordering: .acquiring) })
                trouble.passed()
                switch turn {
                case .again: break
                case .wait(let duration): _ = sealed.wait(timeout: duration)
                case .backOff(let duration): leaveLakeAlone(for: duration)
                }
            } catch {
                leaveLakeAlone(for: trouble.met(error))
            }
        }
        if let shipper { shipFarewell(shipper, &trouble) }
    }

    /// Waits whatever is sealed meanwhile; only a stop ends it early.
    private func leaveLakeAlone(for duration: Duration) {
        let deadline = MonotonicClock.now() + duration
        while !shipperIsStopping.load(ordering: .acquiring) {
            let left = deadline - MonotonicClock.now()
            guard left > .zero else { return }
            _ = sealed.wait(timeout: left)
        }
    }

    /// Ships what was sealed on stopping; a lake that is down is not waited for.
    private func shipFarewell(_ shipper: Shipper, _ trouble: inout QueueTrouble) {
        guard !shipper.isBackingOff else { return }
        let deadline = MonotonicClock.now() + Self.farewellDuration
        do throws(QueueError) {
            _ = try shipper.turn(
                uptime: MonotonicClock.now(), jitter: 0,
                shouldGoOn: { MonotonicClock.now() < deadline })
        } catch {
            _ = trouble.met(error)
        }
    }

    private func makeShipper() throws(QueueError) -> Shipper {
        let session = try QueueSession.open(location, gate: gate, as: .lake)
        let lake = makeLake(session)
        interrupt.withLock { $0 = lake.interrupt }
        return Shipper(
            session: session, lake: lake, backoff: settings.backoff, health: health,
            metrics: metrics,
            log: log)
    }

    private func makeLake(_ session: QueueSession) -> any ObjectLake {
        let onNote: @Sendable (ServiceNote) -> Void = { [log] note in
            log.warning(
                "the lake's service differs from its settings", ["note": .string(note.description)])
        }
        switch settings.lake {
        case .directory(let path): return FileLake(root: path)
        case .s3:
            guard let aws = settings.aws, let s3 = settings.s3 else {
                preconditionFailure("a bucket without its settings")
            }
            return S3Lake(client: S3Client(s3, aws: aws, onNote: onNote))
        case .firehose(let stream):
            guard let aws = settings.aws else {
                preconditionFailure("a stream without its settings")
            }
            return FirehoseLake(
                client: FirehoseClient(stream: stream, aws: aws, onNote: onNote),
                progress: .inBooks(of: session))
        }
    }
}

extension FirehoseLake.Progress {
    /// Kept in the queue's books, beside the batch.
    static func inBooks(of session: QueueSession) -> FirehoseLake.Progress {
        FirehoseLake.Progress(
            load: { (name) throws(LakeError) in
                do throws(QueueError) {
                    return try session.lake.sentLineCount(objectName: name)
                } catch {
                    throw LakeError(.unavailable, "\(error)")
                }
            },
            store: { (name, lineCount) throws(LakeError) in
                do throws(QueueError) {
                    try session.lake.markSent(objectName: name, lineCount: lineCount)
                } catch {
                    throw LakeError(.unavailable, "\(error)")
                }
            })
    }
}
