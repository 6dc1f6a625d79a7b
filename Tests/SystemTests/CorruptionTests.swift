import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// A queue is damaged at random places; see Tests/PowerLoss/corruption.py.
    @Suite struct CorruptionTests {
        @Test func `damage is noticed, and what is left of a queue can be saved`() throws {
            var generator = SeededGenerator.announced("corruption")
            let directory = try TemporaryDirectory()
            let script = Fixture.folder.deletingLastPathComponent()
                .appendingPathComponent("PowerLoss/corruption.py").path
            let binaries = URL(fileURLWithPath: try Installation.binary("ingest"))
                .deletingLastPathComponent().path
            let seed = UInt32.random(in: .min ... .max, using: &generator)
            let run = try ChildProcess(
                "/usr/bin/python3", [script, binaries, "--flips", "40", "--seed", String(seed)],
                environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
                outputPath: directory.file("corruption"))
            let end = run.waitForEnd(within: .seconds(600))
            print(run.output, terminator: "")
            #expect(end == .exited(status: 0), "\(run.output)")
        }
    }
}
