import Foundation
import TestSupport
import Testing

/// The lake as its readers see it: compressed files, unpacked by the real gzip.
final class LakeFolder {
    let path: String
    private var unpacked: [String: [String]] = [:]

    init(path: String) { self.path = path }

    /// The objects' paths inside the lake; what is unfinished begins with a dot.
    func objects() -> [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter {
            let name = $0.split(separator: "/").last ?? ""
            return name.hasSuffix(".ndjson.gz") && !name.hasPrefix(".")
        }.sorted()
    }

    /// Every line of every object.
    func lines() throws -> [String] {
        try objects().flatMap { name in
            // The same name means the same bytes, so each is unpacked once.
            if let lines = unpacked[name] { return lines }
            let lines = try unpack(path + "/" + name)
            unpacked[name] = lines
            return lines
        }
    }

    private func unpack(_ file: String) throws -> [String] {
        let directory = try TemporaryDirectory()
        let process = try ChildProcess(
            "/usr/bin/env", ["gzip", "-dc", file], environment: ["PATH": "/usr/bin:/bin"],
            outputPath: directory.file("lines"))
        let end = process.waitForEnd()
        let text = process.output
        try #require(end == .exited(status: 0), "\(file): \(text)")
        try #require(text.hasSuffix("\n"), "\(file) ends inside a line")
        return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }
}
