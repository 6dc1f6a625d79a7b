/// What code and documents must both say, read from either side.
enum Documents {
    /// Keys that the code declares, by `ConfigurationKey(name: "KEY"` or `ConfigurationKey("KEY"`.
    static func declaredKeys(in files: [SourceFile]) -> Set<String> {
        let base = files.filter { $0.module == "Base" && $0.isSwift }
        let declaration =
            "(?:ConfigurationKey|\\bkey|\\bSelf|\\.init)\\(\\s*(?:name: )?\"([A-Z][A-Z0-9_]+)\""
        return Set(base.flatMap { matches(of: declaration, in: $0.text).map { $0.groups[1] } })
    }

    /// Names in backticks in the first column of a table: `| `KEY` / `KEY` | ...`.
    static func tabledNames(in file: SourceFile, _ name: String) -> Set<String> {
        let rows = file.lines.filter { $0.hasPrefix("| `") }
        return Set(
            rows.flatMap { row -> [String] in
                let first = row.dropFirst().prefix { $0 != "|" }
                return matches(of: "`(\(name))`", in: String(first)).map { $0.groups[1] }
            })
    }

    /// Metrics that the code registers, by `counter("name"`, `gauge("name"` or `histogram("name"`.
    static func registeredMetrics(in files: [SourceFile]) -> Set<String> {
        let registration = "\\b(?:counter|gauge|histogram)\\(\\s*\"([a-z][a-z0-9_]+)\""
        let programs = files.filter { $0.isShipped && $0.isSwift }
        return Set(programs.flatMap { matches(of: registration, in: $0.text).map { $0.groups[1] } })
    }

    /// Metrics that dashboards and rules name; of a histogram's series the histogram itself.
    static func usedMetrics(in file: SourceFile, known: Set<String>) -> Set<String> {
        let names = matches(
            of: "\\b(?:ingest|workers|pipeline|process)_[a-z0-9_]+", in: file.text
        ).map { $0.groups[0] }
        return Set(
            names.map { name in
                let base = ["_bucket", "_sum", "_count"].first(where: name.hasSuffix).map {
                    String(name.dropLast($0.count))
                }
                return base.flatMap { known.contains($0) ? $0 : nil } ?? name
            })
    }

    /// What a heading is called in a link to it, as GitHub makes it: `#what-goes-where`.
    static func anchors(in page: SourceFile) -> Set<String> {
        let headings = page.lines.filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                let words = heading.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(
                    words.compactMap { letter -> Character? in
                        if letter == " " { return "-" }
                        return letter.isLetter || letter.isNumber || "-_".contains(letter)
                            ? letter : nil
                    })
            })
    }

    /// Files of `migrations/`, in the order in which they are numbered.
    static func migrationFiles(in files: [SourceFile]) -> [String] {
        files.map(\.path).filter { $0.hasPrefix("migrations/") && $0.hasSuffix(".sql") }.sorted()
            .map { String($0.dropFirst("migrations/".count)) }
    }

    /// The migrations that Queue names, in its order, by the names SwiftPM gives embedded files.
    static func embeddedMigrations(in files: [SourceFile]) -> [String] {
        let queue = files.filter { $0.module == "Queue" && $0.isSwift }
        return queue.flatMap {
            matches(of: "PackageResources\\.(\\w+)_sql", in: SwiftText($0.text).codeText)
                .map { $0.groups[1] }
        }
    }

    /// `0001_queue.sql` as SwiftPM names it: `_001_queue`.
    static func embeddedName(of file: String) -> String {
        "_" + file.dropFirst().dropLast(".sql".count)
    }
}
