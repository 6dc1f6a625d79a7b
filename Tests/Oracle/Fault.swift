import Base
import Glibc
import TestSupport

/// One thing that happens to the pipeline in one round.
public enum Fault: Sendable, CustomStringConvertible {
    case kill([Pipeline.Program])
    /// SIGKILL for a command of pipelinectl, so many milliseconds after its start.
    case killTool([String], after: Int)
    case cutPower(seed: UInt64)
    /// SIGSTOP for so many milliseconds.
    case stop(Pipeline.Program, Int)
    /// As `stop`, at a moment when it holds the gate.
    case stopHoldingGate(Pipeline.Program, Int)
    case receiver(Receiver.Weather)
    case lake(isDown: Bool)
    /// No room for so many milliseconds.
    case fullDisk(Int)
    /// Milliseconds that each sync takes longer.
    case slowDisk(Int)
    /// Seconds by which the clocks go wrong.
    case clock(Int)
    /// The next call of this kind but so many fails, once.
    case failure(Machine.Call, Int, code: Int32)
    /// The same program a second time.
    case twice(Pipeline.Program)

    /// Whether a program dies of it.
    public var isKill: Bool {
        switch self {
        case .kill, .killTool, .cutPower: true
        case .stop, .stopHoldingGate, .receiver, .lake, .fullDisk, .slowDisk, .clock, .failure,
            .twice:
            false
        }
    }

    /// As the schedule prints it.
    public var description: String {
        switch self {
        case .kill(let programs): "kill -9 \(programs.map(\.rawValue).joined(separator: " and "))"
        case .killTool(let words, let delay):
            "kill -9 pipelinectl \(words.joined(separator: " ")) after \(delay) ms"
        case .cutPower(let seed): "power cut \(seed)"
        case .stop(let program, let time): "stop \(program) for \(time) ms"
        case .stopHoldingGate(let program, let time):
            "stop \(program) with the gate in its hand for \(time) ms"
        case .receiver(let weather): "receiver \(weather)"
        case .lake(let isDown): isDown ? "lake down" : "lake up"
        case .fullDisk(let time): "disk full for \(time) ms"
        case .slowDisk(let time): "syncs \(time) ms slower"
        case .clock(let seconds): "clock off by \(seconds) s"
        case .failure(let call, let number, let code):
            "\(call) \(number) fails: \(String(cString: strerror(code)))"
        case .twice(let program): "a second \(program)"
        }
    }

    /// The next fault of a schedule.
    public static func next(_ generator: inout SeededGenerator) -> Fault {
        func below(_ bound: UInt64) -> Int { Int(generator.next() % bound) }
        let program: Pipeline.Program = below(2) == 0 ? .ingest : .workers
        switch below(24) {
        case 0...3: return .kill([program])
        case 4...5: return .kill([.ingest, .workers])
        case 6...9: return .cutPower(seed: generator.next() >> 32)
        case 10...12: return .killTool(commands[below(UInt64(commands.count))], after: below(80))
        case 13: return .stop(program, 100 + below(1_500))
        case 14: return .stopHoldingGate(program, 100 + below(1_500))
        case 15...16: return .receiver(Receiver.Weather.allCases[below(6)])
        case 17: return .lake(isDown: below(2) == 0)
        case 18: return .fullDisk(100 + below(1_000))
        case 19: return .slowDisk(below(3) * 5)
        case 20: return .clock(below(14_400) - 7_200)
        case 21...22:
            let call: Machine.Call = below(2) == 0 ? .write : .sync
            let code = call == .sync || below(2) == 0 ? EIO : ENOSPC
            return .failure(call, 1 + below(60), code: code)
        default: return .twice(program)
        }
    }

    private static let commands = [
        ["status"], ["dead", "list"], ["dead", "replay", "--all"], ["replay", "--since", "1s"],
        ["check"], ["dead", "replay", "--reason", "refused"],
    ]
}
