import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// The power is cut after each operation of a short run; see Tests/PowerLoss.
    ///
    /// `POWER_LOSS_STATES` makes it longer; `make power-loss` does.
    @Suite(.enabled(if: Tracing.isAllowed, "strace may not trace here"))
    struct PowerLossTests {
        private static let stateCount = EnvironmentNumber.read(
            "POWER_LOSS_STATES", otherwise: 1_200)

        private func cut(_ arguments: [String]) throws -> (end: ChildProcess.End?, output: String) {
            var generator = SeededGenerator.announced("power loss")
            let directory = try TemporaryDirectory()
            let script = Fixture.folder.deletingLastPathComponent()
                .appendingPathComponent("PowerLoss/powerloss.py").path
            let binaries = URL(fileURLWithPath: try Installation.binary("ingest"))
                .deletingLastPathComponent().path
            let seed = UInt32.random(in: .min ... .max, using: &generator)
            let cutter = try ChildProcess(
                "/usr/bin/python3", [script, binaries, "--seed", String(seed)] + arguments,
                environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
                outputPath: directory.file("cuts"))
            let end = cutter.waitForEnd(within: .seconds(7_200))
            print(cutter.output, terminator: "")
            return (end, cutter.output)
        }

        @Test func `whatever a power cut leaves on the disk, what was acknowledged is there`()
            throws
        {
            let (end, output) = try cut(
                ["--states", String(Self.stateCount), "--backup", "--programs", "150"])
            #expect(end == .exited(status: 0), "\(output)")
        }

        @Test func `commits that are not synced are lost, and the test above would say so`() throws
        {
            let (end, output) = try cut(["--states", "300", "--control"])
            #expect(end == .exited(status: 0), "\(output)")
        }
    }

    /// The power of a file system under load is cut, by snapshots of the disk below it.
    @Suite(.enabled(if: PowerCuts.refusal == nil, "\(PowerCuts.refusal ?? "")"))
    struct PowerCutTests {
        @Test func `what was acknowledged is on the disk whenever the power goes`() throws {
            let (end, output) = try PowerCuts.run(["--cuts", "25"])
            print(output, terminator: "")
            #expect(end == .exited(status: 0), "\(output)")
        }

        @Test func `commits that are not synced are lost, and the test above would say so`() throws
        {
            let (end, output) = try PowerCuts.run(["--cuts", "8", "--control"])
            #expect(end == .exited(status: 0), "\(output)")
        }
    }

    /// Tests/PowerLoss/cuts.py, which needs root, loop devices and btrfs.
    enum PowerCuts {
        /// Why it cannot be run here; nil where it can.
        static let refusal: String? = {
            guard let (end, output) = try? run(["--probe"]) else { return "no python3" }
            return end == .exited(status: 0) ? nil : output
        }()

        static func run(
            _ arguments: [String]
        ) throws -> (end: ChildProcess.End?, output: String) {
            let directory = try TemporaryDirectory()
            let script = Fixture.folder.deletingLastPathComponent()
                .appendingPathComponent("PowerLoss/cuts.py").path
            let binaries = URL(fileURLWithPath: try Installation.binary("ingest"))
                .deletingLastPathComponent().path
            let cutter = try ChildProcess(
                "/usr/bin/python3", [script, binaries] + arguments,
                environment: ["PATH": "/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"],
                outputPath: directory.file("cuts"))
            return (cutter.waitForEnd(within: .seconds(600)), cutter.output)
        }
    }

    /// Whether strace may be used: some containers forbid it.
    enum Tracing {
        static let isAllowed: Bool = {
            guard let directory = try? TemporaryDirectory(),
                let probe = try? ChildProcess(
                    "/usr/bin/env", ["strace", "-o", "/dev/null", "true"],
                    environment: ["PATH": "/usr/bin:/bin"], outputPath: directory.file("probe"))
            else { return false }
            return probe.waitForEnd() == .exited(status: 0)
        }()
    }
}
