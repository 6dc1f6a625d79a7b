import Foundation

/// A script of Tests/Tools, run by the Python of .venv with the packages that are pinned there.
public enum PythonTool {
    /// Why a script's answer is of no use.
    public struct Failure: Error, CustomStringConvertible {
        /// What it wrote.
        public let description: String
    }

    /// The repository.
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The interpreter that `make test` installs.
    public static var python: String { root.appendingPathComponent(".venv/bin/python").path }

    /// Runs a script to its end.
    ///
    /// - Returns: the JSON object it wrote.
    /// - Throws: ``Failure`` where it ended badly or wrote none.
    public static func object(
        _ script: String,
        _ arguments: [String]
    ) throws -> [String: Any] {
        let directory = try TemporaryDirectory()
        let process = try start(script, arguments, outputPath: directory.file("output"))
        let end = process.waitForEnd(within: .seconds(120))
        let text = process.output
        let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        guard end == .exited(status: 0), let object = value as? [String: Any] else {
            throw Failure(description: "\(script): \(text)")
        }
        return object
    }

    /// Starts a script that goes on until it is stopped.
    ///
    /// - Parameters:
    ///   - script: of Tests/Tools.
    ///   - arguments: for it.
    ///   - outputPath: the file for what it writes.
    /// - Returns: the process, killed when it is let go of.
    /// - Throws: ``ChildProcess/Failure`` where there is no Python.
    public static func start(
        _ script: String,
        _ arguments: [String] = [],
        outputPath: String
    ) throws -> ChildProcess {
        let path = root.appendingPathComponent("Tests/Tools/\(script)").path
        return try ChildProcess(
            python, [path] + arguments, environment: ["PATH": "/usr/bin:/bin"],
            outputPath: outputPath)
    }
}
