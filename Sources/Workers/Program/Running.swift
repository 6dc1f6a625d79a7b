import Base
import Dispatch
import Foundation
import Queue
import Synchronization

/// Everything that runs in a `workers` process, in the order in which it starts.
final class Running: Sendable {
    private let upkeep: Upkeep
    private let lake: LakePool?
    private let forward: ForwardWorker?
    private let admin: AdminEndpoint
    private let end: EndOfWork

    /// Opens the queue and takes the pools' locks; starts nothing.
    ///
    /// - Throws: ``ProgramError``; what was taken is given back.
    init(_ configuration: WorkersConfiguration, log: Log) throws(ProgramError) {
        let metrics = MetricsRegistry()
        let location = configuration.location
        let held = metrics.histogram(
            "workers_gate_hold_seconds", help: "How long the workers held the gate at a time.")
        let waited = metrics.histogram(
            "workers_gate_wait_seconds", help: "How long the workers waited for the gate.")
        let gate = try ProgramError.queue { () throws(QueueError) in
            try QueueSession.openGate(location, as: .upkeep) { wait, hold in
                waited.observe(wait)
                held.observe(hold)
            }
        }
        try ProgramError.queue { () throws(QueueError) in
            try Self.lookAtWAL(location, gate: gate, log: log)
            _ = try QueueSession.open(location, gate: gate, as: .upkeep)
        }
        let end = try ProgramError.system { () throws(SystemError) in try EndOfWork() }
        self.end = end
        upkeep = try ProgramError.system { () throws(SystemError) in
            try Upkeep(
                location: location, gate: gate, settings: configuration.upkeep, log: log,
                metrics: metrics)
        }
        let lake = try configuration.lake.map { settings throws(ProgramError) in
            try ProgramError.lake { () throws(LakePoolError) in
                try LakePool(
                    location: location, gate: gate, settings: settings, log: log,
                    metrics: metrics)
            }
        }
        self.lake = lake
        forward = try configuration.forward.map { settings throws(ProgramError) in
            try ProgramError.forward { () throws(PoolError) in
                try ForwardWorker(
                    location: location, gate: gate, settings: settings, log: log,
                    metrics: metrics, onFailure: { _ in end.fail() })
            }
        }
        let queue = QueueMetrics(metrics, location: location, gate: gate)
        ProcessMetrics.register(
            in: metrics, program: "workers",
            libraries: ["sqlite": SQLiteLibrary.version.description],
            readiness: { lake?.trouble })
        admin = try ProgramError.system { () throws(SystemError) in
            try AdminEndpoint(
                address: configuration.adminListen, metrics: metrics,
                readiness: { lake?.trouble }, refresh: queue.refresh)
        }
    }

    /// Commits behind damage are not read, and would be gone without a word.
    private static func lookAtWAL(
        _ location: QueueLocation,
        gate: Gate,
        log: Log
    ) throws(QueueError) {
        guard let damaged = try QueueSession.keepDamagedWAL(location, gate: gate) else { return }
        log.error(
            "commits in the WAL cannot be read, a copy is kept for pipelinectl salvage",
            [
                "commits": .int(damaged.unreadCommitCount), "copy": .string(damaged.copyPath),
                "advice": "harmless after a power cut; else check the disk",
            ])
    }

    /// Starts everything; the admin endpoint last, so that it tells the truth.
    func start() {
        upkeep.start()
        lake?.start()
        forward?.start()
        admin.start()
    }

    /// Stops everything, in the reverse order; blocks until it is done.
    func stop() {
        admin.stop()
        forward?.stop()
        lake?.stop()
        upkeep.stop()
    }

    /// Blocks until a signal comes or a pool has given up.
    ///
    /// A second signal ends the process at once: a person who asks twice is in a hurry.
    ///
    /// - Returns: the exit code.
    func waitForEnd(signals: SignalWatcher, supervisor: Supervisor) -> Int32 {
        let thread = Thread { [end] in
            _ = signals.wait()
            end.signalled()
            _ = signals.wait()
            _exit(ExitCode.failed)
        }
        thread.name = "signals"
        thread.start()
        return end.wait(supervisor)
    }
}

/// Why the program ends, whoever says so first.
final class EndOfWork: Sendable {
    private let wakeUp: WakeUp
    private let code = Mutex<Int32?>(nil)

    init() throws(SystemError) { wakeUp = try WakeUp() }

    /// A signal asked for it.
    func signalled() { set(ExitCode.ok) }

    /// A pool cannot go on; whoever supervises the process should start it again.
    func fail() { set(ExitCode.failed) }

    private func set(_ code: Int32) {
        self.code.withLock { $0 = $0 ?? code }
        wakeUp.signal()
    }

    /// Blocks until there is a reason; the service manager hears that the process goes on.
    func wait(_ supervisor: Supervisor) -> Int32 {
        while true {
            if let code = code.withLock({ $0 }) { return code }
            supervisor.beat()
            _ = wakeUp.wait(timeout: supervisor.beatInterval)
        }
    }
}
