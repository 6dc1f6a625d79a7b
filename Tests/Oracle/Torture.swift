import Base
import Foundation
import Glibc
import TestSupport

/// Rounds of faults under load, with every promise asked for all the while.
///
/// The schedule follows from the seed; what it hits, from the machine's own timing.
public final class Torture {
    /// The programs and their surroundings.
    public let pipeline: Pipeline
    /// Rounds in which a program was killed.
    public private(set) var killCount = 0
    /// Figures of a soak.
    public let meter: Meter

    private let load: LoadGenerator
    private var generator: SeededGenerator
    /// What is printed of each round.
    private let report: (String) -> Void

    private static let stepsOfRound: UInt64 = 60

    /// Prepares a run; nothing is started.
    public init(
        seed: UInt64,
        settings: [String: String] = [:],
        report: @escaping (String) -> Void
    ) throws {
        generator = SeededGenerator(seed: seed)
        pipeline = try Pipeline(settings)
        meter = Meter(location: pipeline.location, witness: pipeline.witness)
        load = LoadGenerator(port: pipeline.port, ledger: pipeline.ledger, seed: seed)
        self.report = report
    }

    /// Starts the programs, the senders, and the look at the books that never ends.
    public func start() throws {
        try pipeline.startAll()
        load.start(senderCount: 6)
        pipeline.witness.start()
    }

    /// Whether nothing was violated so far.
    public var isClean: Bool { pipeline.ledger.violations.isEmpty }

    /// One fault, and progress after it.
    public func round(_ number: Int) throws {
        let fault = Fault.next(&generator)
        let target = 5 + Int(generator.next() % Self.stepsOfRound)
        report("round \(number): \(fault), then \(target) steps")
        // More than the target, so that the senders are at it when the blow falls.
        load.allow(target + 40)
        try perform(fault)
        if fault.isKill { killCount += 1 }
        try revive()
        let before = pipeline.ledger.acknowledgementCount
        load.allow(target + 40)
        let wentOn = waitUntil(within: .seconds(90)) {
            (try? revive()) == nil || !isClean
                || pipeline.ledger.acknowledgementCount >= before + target
        }
        load.hold()
        if !wentOn { pipeline.ledger.violate("round \(number) stands still after \(fault)") }
        try revive()
    }

    /// A round that is a power cut under load, and nothing else.
    public func cutPower(_ number: Int) throws {
        load.allow(100)
        let before = pipeline.ledger.acknowledgementCount
        waitUntil(within: .seconds(60)) {
            pipeline.ledger.acknowledgementCount >= before + 20 + number
        }
        report("power cut \(number) after \(pipeline.ledger.acknowledgementCount)")
        try pipeline.cutPower(seed: UInt64(number))
        killCount += 1
        load.hold()
        try pipeline.startAll()
    }

    /// Ends a run that is not worth its end.
    public func abandon() {
        for program in Pipeline.Program.allCases { pipeline.kill(program) }
        pipeline.witness.stop()
        load.abandon()
    }

    /// Ends all faults, lets everything arrive, and looks a last time.
    public func finish() throws {
        try pipeline.receiver.become(.fair)
        pipeline.receiver.becomeLenient()
        pipeline.machine.mend()
        pipeline.machine.stepClock(by: .zero)
        try lake(isDown: false)
        try revive()
        if !load.stop() { pipeline.ledger.violate("a sender does not come to its end") }
        let isDrained = waitUntil(within: .seconds(180)) {
            try? replayDead()
            return !isClean || pipeline.ledger.outstandingCount == 0
        }
        if !isDrained {
            pipeline.ledger.violate("lost: \(pipeline.ledger.missing().joined(separator: " "))")
        }
        do { try pipeline.stopAll() } catch { pipeline.ledger.violate("\(error)") }
        pipeline.witness.stop()
        report(
            "\(killCount) kills; \(pipeline.ledger.summary); the books were read "
                + "\(pipeline.witness.lookCount) times")
    }

    private func replayDead() throws {
        let tool = try pipeline.launch("pipelinectl", ["dead", "replay", "--all"])
        _ = tool.waitForEnd()
    }

    /// Starts what has ended; what may have ended is a program whose sync or write was refused.
    private func revive() throws {
        for program in Pipeline.Program.allCases {
            guard let end = pipeline.end(of: program) else { continue }
            if end == .exited(status: 0) || !mayEnd {
                let words = pipeline.tail(program)
                pipeline.ledger.violate("\(program) ended by itself (\(end)): \(words)")
            }
        }
        do {
            try pipeline.startAll()
        } catch {
            // The next start meets the call that was to fail no more.
            guard mayEnd else { throw error }
            try pipeline.startAll()
        }
    }

    /// Programs may end, with a status that is not 0, after a call was made to fail; one that is
    /// on its way out may take until the next round to be gone.
    private var mayEnd: Bool { roundsSinceFailure < 2 }
    private var roundsSinceFailure = 2

    /// Ten seconds of load under the weather of one fault, measured once a second.
    public func soak(_ number: Int) throws {
        let fault = Fault.next(&generator)
        report("minute \(number / 6), round \(number): \(fault)")
        try perform(fault)
        if fault.isKill { killCount += 1 }
        for _ in 0..<10 where isClean {
            try revive()
            load.allow(150)
            pause(1_000)
            var processes: [Pipeline.Program: pid_t] = [:]
            for program in Pipeline.Program.allCases {
                processes[program] = pipeline.processID(program)
            }
            meter.take(processes)
        }
        load.hold()
        try calm()
    }

    /// Ends what would let a backlog grow without end.
    private func calm() throws {
        try pipeline.receiver.become(.fair)
        try lake(isDown: false)
    }

    /// A short run in which one call fails, once or from then on; ends with everything arrived.
    ///
    /// - Returns: how many calls failed.
    public func run(
        steps: Int,
        failing call: Machine.Call,
        at number: Int,
        code: Int32,
        forEver: Bool
    ) throws -> Int {
        roundsSinceFailure = 0
        pipeline.machine.fail(call, at: number, code: code, forEver: forEver)
        try? pipeline.startAll()
        pipeline.witness.start()
        load.start(senderCount: 2)
        load.allow(steps)
        waitUntil(within: .seconds(5)) {
            let ledger = pipeline.ledger
            return ledger.acknowledgementCount >= steps || ledger.refusalCount > 3
                || !Pipeline.Program.allCases.allSatisfy(pipeline.isRunning)
        }
        let failureCount = pipeline.machine.failureCount
        pipeline.machine.mend()
        try finish()
        return failureCount
    }

    // MARK: Faults

    private func perform(_ fault: Fault) throws {
        roundsSinceFailure += 1
        pipeline.machine.fail(.write, at: 0, code: 0, forEver: false)
        switch fault {
        case .kill(let programs):
            pause(Int(generator.next() % 60))
            for program in programs { pipeline.kill(program) }
        case .killTool(let words, let delay):
            let tool = try pipeline.launch("pipelinectl", words)
            pause(delay)
            tool.kill()
        case .cutPower(let seed):
            pause(Int(generator.next() % 60))
            try pipeline.cutPower(seed: seed)
        case .stop(let program, let time): stop(program, time)
        case .stopHoldingGate(let program, let time):
            try? pipeline.receiver.become(.fair)
            stopHoldingGate(program, time)
        case .receiver(let weather): try pipeline.receiver.become(weather)
        case .lake(let isDown): try lake(isDown: isDown)
        case .fullDisk(let time):
            pipeline.machine.fillDisk(true)
            pause(time)
            pipeline.machine.fillDisk(false)
        case .slowDisk(let time): pipeline.machine.slowDisk(by: .milliseconds(time))
        case .clock(let seconds): pipeline.machine.stepClock(by: .seconds(seconds))
        case .failure(let call, let number, let code):
            roundsSinceFailure = 0
            pipeline.machine.fail(call, at: number, code: code, forEver: false)
        case .twice(let program): try startTwice(program)
        }
    }

    /// Lets so many milliseconds go by: the length of a fault, not a wait for something.
    private func pause(_ milliseconds: Int) { poll(nil, 0, Int32(milliseconds)) }

    private func stop(_ program: Pipeline.Program, _ time: Int) {
        pipeline.signal(program, SIGSTOP)
        pause(time)
        pipeline.signal(program, SIGCONT)
    }

    /// Stops it again and again until it is caught with the gate in its hand.
    private func stopHoldingGate(_ program: Pipeline.Program, _ time: Int) {
        guard let processID = pipeline.processID(program) else { return }
        for _ in 0..<300 {
            pipeline.signal(program, SIGSTOP)
            if holdsGate(processID) { pause(time) }
            let wasCaught = holdsGate(processID)
            pipeline.signal(program, SIGCONT)
            if wasCaught { return }
            pause(1)
        }
    }

    /// Whether a process holds the lock on the gate's file, by the kernel's own list.
    private func holdsGate(_ processID: pid_t) -> Bool {
        var facts = stat()
        guard stat(pipeline.location.gatePath, &facts) == 0,
            let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return false }
        return locks.split(separator: "\n").contains {
            $0.contains("FLOCK") && !$0.contains("->") && $0.contains(" \(processID) ")
                && $0.contains(":\(facts.st_ino) ")
        }
    }

    private func lake(isDown: Bool) throws {
        let (path, away) = (pipeline.lakePath, pipeline.lakePath + ".away")
        if isDown, access(away, F_OK) != 0, access(path, F_OK) == 0 {
            rename(path, away)
            // A file where the directory should be: nothing can be put there.
            close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        } else if !isDown, access(away, F_OK) == 0 {
            unlink(path)
            rename(away, path)
        }
    }

    private func startTwice(_ program: Pipeline.Program) throws {
        let second = try pipeline.launch(program.rawValue)
        guard let end = second.waitForEnd(within: .seconds(30)) else {
            second.kill()
            return pipeline.ledger.violate("a second \(program) was not refused")
        }
        if case .exited(status: 1...) = end { return }
        pipeline.ledger.violate("a second \(program) ended as \(end)")
    }
}
