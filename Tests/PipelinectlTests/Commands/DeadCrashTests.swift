import Base
import Foundation
import Glibc
import Queue
import TestSupport
import Testing

@testable import pipelinectl

/// The real pipelinectl, killed in the middle of a command that changes hundreds of letters.
@Suite struct DeadCrashTests {
    private static let letterCount = 250

    private func filledRig() throws -> CommandRig {
        let rig = try CommandRig()
        for _ in 0..<Self.letterCount { try rig.bury() }
        return rig
    }

    /// Runs the built program, which dies at `point` where one is named.
    private func run(
        _ arguments: [String], on rig: CommandRig, dyingAt point: String? = nil
    ) throws -> ChildProcess.End? {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let binary = URL(fileURLWithPath: bundle).deletingLastPathComponent()
            .appendingPathComponent("pipelinectl").path
        var environment = rig.environment
        environment["PIPELINE_CRASH_POINT"] = point
        let program = try ChildProcess(
            binary, arguments, environment: environment, outputPath: rig.directory.file("output"))
        return program.waitForEnd(within: .seconds(60))
    }

    private static let commands = [
        ["dead", "replay", "--all"], ["dead", "discard", "--all", "--because", "a test"],
    ]

    @Test(arguments: commands, ["inside-dead-slice:2", "after-dead-slice:1", "after-dead-slice:2"])
    func `a command that was killed is finished by the same command`(
        command: [String], point: String
    ) throws {
        let rig = try filledRig()
        #expect(
            try run(command, on: rig, dyingAt: point) == .killed(signal: SIGKILL))
        let left = try rig.statistics()
        #expect((1..<Self.letterCount).contains(left.count(.deadLetters)))
        #expect(left.balances)
        // What is done is in the audit, and nothing else.
        let done = Self.letterCount - left.count(.deadLetters)
        #expect(try rig.session.audit.list(limit: 1_000).count == done)

        #expect(try run(command, on: rig) == .exited(status: 0))
        #expect(try rig.statistics().count(.deadLetters) == 0)
        #expect(try rig.statistics().balances)
        let acts = try rig.session.audit.list(limit: 1_000)
        #expect(acts.count == Self.letterCount)
        #expect(Set(acts.compactMap(\.delivery)).count == Self.letterCount, "one was done twice")
        #expect(acts.allSatisfy { $0.act == command[1] })
    }

    @Test(arguments: ["inside-import:2", "after-import:1"])
    func `an import that was killed is finished by the same import`(point: String) throws {
        let (source, target) = (try filledRig(), try CommandRig())
        let file = source.directory.file("letters")
        #expect(source.run("dead", "export", "--all", "--out", file).code == ExitCode.ok)
        #expect(
            try run(["dead", "import", file], on: target, dyingAt: point)
                == .killed(signal: SIGKILL))
        #expect(try target.statistics().balances)
        let half = try target.statistics().count(.deadLetters)
        #expect((1..<Self.letterCount).contains(half))
        #expect(try run(["dead", "import", file], on: target) == .exited(status: 0))
        #expect(try target.statistics().count(.deadLetters) == Self.letterCount)
        #expect(try target.statistics().balances)
    }

    @Test func `an edit that was killed has changed nothing, and can be made again`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let file = rig.directory.file("new")
        try Data(#"{"entry":[1]}"#.utf8).write(to: URL(fileURLWithPath: file))
        let edit = ["dead", "edit", "1", "--with", file]
        #expect(try run(edit, on: rig, dyingAt: "inside-edit") == .killed(signal: SIGKILL))
        #expect(rig.run("dead", "show", "1", "--raw").output == #"{"entry":[]}"#)
        #expect(try rig.session.audit.list(limit: 5).isEmpty)
        #expect(try run(edit, on: rig) == .exited(status: 0))
        #expect(rig.run("dead", "show", "1", "--raw").output == #"{"entry":[1]}"#)
        #expect(rig.run("dead", "show", "1", "--original").output == #"{"entry":[]}"#)
    }
}
