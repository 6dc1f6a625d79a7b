import Base
import Foundation
import TestSupport

/// pipelinectl as it was built beside these tests, for what only a process of its own can show.
enum BuiltProgram {
    static func path() throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return DurableFile.parent(of: tests) + "/pipelinectl"
    }

    /// What `arguments` make it say, and its status; -1 where it does not end.
    static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in directory: TemporaryDirectory
    ) throws -> (status: Int32, output: String) {
        let usual = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory.path]
        let child = try ChildProcess(
            path, arguments, environment: usual.merging(environment) { _, own in own },
            outputPath: directory.file("output-\(UUID().uuidString)"))
        guard case .exited(let status) = child.waitForEnd() else { return (-1, child.output) }
        return (status, child.output)
    }
}
