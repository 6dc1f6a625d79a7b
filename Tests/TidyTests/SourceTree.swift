import Foundation

/// One text file of the repository, by its path from the top.
struct SourceFile: Sendable {
    let path: String
    let text: String

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isShipped: Bool { path.hasPrefix("Sources/") }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// `Queue` for `Sources/Queue/Gate.swift`, nil outside `Sources`.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

/// What a rule has against one line of one file.
struct Finding: CustomStringConvertible, Equatable, Sendable {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The repository these tests were built from, read from disk.
enum SourceTree {
    static let root: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let folders = [
        "Sources", "Tests", "Benchmarks", "migrations", "docs", "examples", "deploy", "scripts",
        ".ci",
    ]
    private static let topFiles = [
        "Package.swift", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
        ".swift-format",
        ".gitignore",
    ]

    /// Every text file, sorted by path; links are not followed, what is not UTF-8 is left out.
    static func files() -> [SourceFile] {
        let paths = topFiles + folders.flatMap(regularFiles(under:))
        return paths.sorted().compactMap(file(at:))
    }

    /// The file at `path` from the top, where there is one.
    static func file(at path: String) -> SourceFile? {
        guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else {
            return nil
        }
        return String(data: data, encoding: .utf8).map { SourceFile(path: path, text: $0) }
    }

    private static func regularFiles(under folder: String) -> [String] {
        let enumerator = FileManager.default.enumerator(
            at: root.appendingPathComponent(folder),
            includingPropertiesForKeys: [.isRegularFileKey]
        )
        var paths: [String] = []
        while let url = enumerator?.nextObject() as? URL {
            let values = try? url.resourceValues(forKeys: [.isRegularFileKey])
            guard values?.isRegularFile == true else { continue }
            paths.append(String(url.path.dropFirst(root.path.count + 1)))
        }
        return paths
    }
}
