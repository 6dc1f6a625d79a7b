import Foundation
import TestSupport
import Testing

/// The units of deploy/systemd, as far as can be said without running them; scripts/test-package
/// runs them.
@Suite struct UnitFileTests {
    private static let folder = Fixture.folder.deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("deploy/systemd")

    /// The units with the programs that were built here, in a folder of their own.
    private func units(in directory: TemporaryDirectory) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        return try names.map { name in
            let text = try String(
                contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
            let program = name.contains("ingest") ? "ingest" : "workers"
            let ours = text.replacing(
                "/usr/lib/whatsapp-pipeline/\(program)", with: try Installation.binary(program))
            try ours.write(toFile: directory.file(name), atomically: true, encoding: .utf8)
            return directory.file(name)
        }
    }

    private func analyze(
        _ arguments: [String], in directory: TemporaryDirectory
    ) throws -> (end: ChildProcess.End?, output: String) {
        let process = try ChildProcess(
            "/usr/bin/systemd-analyze", arguments, environment: ["PATH": "/usr/bin:/bin"],
            outputPath: directory.file("analyze-\(UUID().uuidString)"))
        return (process.waitForEnd(), process.output)
    }

    @Test func `systemd finds nothing wrong with the units`() throws {
        let directory = try TemporaryDirectory()
        let paths = try units(in: directory)
        #expect(paths.count == 3)
        let result = try analyze(["verify", "--man=no"] + paths, in: directory)
        #expect(result.end == .exited(status: 0), "\(result.output)")
        #expect(!result.output.contains("whatsapp-"), "\(result.output)")
    }

    @Test(arguments: ["whatsapp-ingest.service", "whatsapp-workers.service"])
    func `little of the system is left open to a service`(unit: String) throws {
        let directory = try TemporaryDirectory()
        _ = try units(in: directory)
        // In tenths: a bare unit has 96, Debian's nginx and php-fpm too.
        let result = try analyze(
            ["security", "--offline=yes", "--threshold=14", directory.file(unit)], in: directory)
        #expect(result.end == .exited(status: 0), "\(result.output.suffix(200))")
    }
}
