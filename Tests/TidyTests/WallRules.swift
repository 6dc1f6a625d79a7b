extension Rule {
    /// What each module may import beside the system's own modules; arrows point down only.
    private static let arrows: [String: Set<String>] = [
        "Base": ["CLinux"],
        "WhatsApp": ["Base", "CCrypto"],
        "Queue": ["Base", "CSQLite", "CLinux"],
        "AWS": ["Base", "CCrypto"],
        "Ingest": ["Queue", "WhatsApp", "Base", "CLinux"],
        "Workers": ["Queue", "WhatsApp", "AWS", "Base", "CZlib", "CCrypto", "CLinux"],
        "pipelinectl": ["Queue", "WhatsApp", "AWS", "Base", "CZlib", "CLinux"],
    ]
    private static let system: Set = ["Foundation", "Glibc", "Dispatch", "Synchronization"]

    static let importArrows = Rule(name: "imports point down only") { file in
        guard file.isSwift, let module = file.module else { return [] }
        let allowed = (arrows[module] ?? []).union(system).union(outward(file))
        return imports(of: file).filter { !allowed.contains($0.name) }.map {
            let message = "\(module) must not import \($0.name)"
            return Finding(path: file.path, line: $0.line, message: message)
        }
    }

    /// The only places with a reason to speak HTTP outwards by Foundation's client.
    private static func outward(_ file: SourceFile) -> Set<String> {
        let mayCall =
            file.path.hasPrefix("Sources/Workers/HTTPClient/")
            || file.path.hasPrefix("Sources/AWS/Transport/") || file.module == "pipelinectl"
        return mayCall ? ["FoundationNetworking"] : []
    }

    private static func imports(of file: SourceFile) -> [(line: Int, name: String)] {
        let kind = "(?:struct|class|enum|protocol|func|var|let|typealias) "
        let pattern =
            "^\\s*(?:@\\w+(?:\\([^)]*\\))?\\s+)*"
            + "(?:(?:public|package|internal|fileprivate|private) )?"
            + "import (?:\(kind))?(\\w+)"
        return matches(of: pattern, in: SwiftText(file.text).codeText)
            .map { ($0.line, $0.groups[1]) }
    }

    static let purePartsOfIngest = Rule(name: "HTTP in ingest is pure: bytes in, values out") {
        file in
        guard file.path.hasPrefix("Sources/Ingest/HTTP/") else { return [] }
        return imports(of: file).filter { $0.name != "Base" }.map {
            let message = "the pure part of ingest must not import \($0.name)"
            return Finding(path: file.path, line: $0.line, message: message)
        }
    }

    static let ingestReadsNoBodies = code(
        "ingest parses no JSON and opens no connection",
        bans: "\\b(JSON\\w+|WebhookSplitter|SplitResult|URLSession|connect)\\s*\\(",
        because: "the internet-facing process reads HTTP, checks a signature, and appends bytes"
    ) { $0.module == "Ingest" }

    static let queueKnowsNoFormats = code(
        "Queue knows nothing of HTTP or JSON",
        bans: "\\b(JSON\\w+|URL\\w*|HTTP\\w+)\\b",
        because: "Queue stores bytes; what they mean is another module's business"
    ) { $0.module == "Queue" }

    static let sqlInOnePlace = Rule(name: "SQL text stands in Queue and nowhere else") { file in
        guard file.isSwift, file.isShipped, file.module != "Queue" else { return [] }
        let statement =
            "(?i)\\b(select\\s.+\\sfrom\\s|insert\\s+(or\\s+\\w+\\s+)?into\\s|delete\\s+from\\s"
            + "|update\\s+\\w+\\s+set\\s|create\\s+table\\b|pragma\\s+\\w|begin\\s+immediate"
            + "|vacuum\\s+into)"
        return SwiftText(file.text).literals
            .filter { !matches(of: statement, in: $0.text).isEmpty }
            .map { Finding(path: file.path, line: $0.line, message: "SQL outside of Queue") }
    }

    static let noPackages = code(
        "Package.swift names no package",
        bans: "\\.package\\s*\\(",
        because: "the project depends on Debian's libraries and nothing else"
    ) { $0.path == "Package.swift" }

    static let threadsNotTasks = code(
        "threads, not tasks",
        bans: "(?<![.\\w])(async\\b|await\\b|actor\\s+[A-Z])|\\bTask\\s*(\\{|\\.|\\()",
        because: "threads own their resources; a blocked sync would stall the cooperative pool"
    ) { $0.isShipped && !$0.path.hasPrefix("Sources/Workers/HTTPClient/") }
}
