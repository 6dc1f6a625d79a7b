// The banned words are put together here, so that a search for them stays empty.
private let force = "try" + "!"
private let markers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
private let machinePaths = [
    "/wo" + "rk/", "/fa" + "rm/", "/tmp/ba" + "sh", "/tmp/w" + "t/", "/ro" + "ot/",
]

extension Rule {
    static let forcedTry = code(
        "no forced try",
        bans: "\\b\(force)",
        because: "an error is thrown on, returned, or said; it does not end the process unsaid"
    )

    static let forcedCast = code(
        "no forced cast",
        bans: "\\bas!",
        because: "a cast that may fail is asked, not forced"
    )

    static let silentTrap = code(
        "a trap says why",
        bans: "\\b(fatalError|preconditionFailure|assertionFailure)\\s*\\(\\s*\\)",
        because: "who reads the crash needs to know what was wrong"
    )

    static let printing = code(
        "only pipelinectl prints",
        bans: "(?<![.\\w])(print|debugPrint|dump|NSLog)\\s*\\(",
        because: "the programs log; only pipelinectl speaks to a person"
    ) { $0.isShipped && $0.module != "pipelinectl" }

    static let sleeping = code(
        "nothing sleeps",
        bans: "\\b(u?sleep|nanosleep|clock_nanosleep)\\s*\\(",
        because: "a wait is on a signal or a condition, never for a time to pass"
    )

    static let leftOpen = text(
        "nothing is left for later without a name",
        bans: "\\b(" + markers.joined(separator: "|") + ")\\b",
        because: "finish it, or write it down where it will be read"
    ) { !$0.path.hasSuffix(".md") }

    static let machinePath = text(
        "no path of one machine",
        bans: machinePaths.joined(separator: "|"),
        because: "the repository works wherever it is cloned"
    )

    static let otherWords = code(
        "one word per concept",
        bans: "\\b(?:struct|class|enum|actor|protocol|typealias)\\s+"
            + "\\w*?(?:Manager|Helper|Utility|Utilities|Utils?|Job|Task|Item)(?:s\\b|\\b|[A-Z])",
        because: "webhook, event, log, consumer, batch, object, delivery, conversation, attempt"
    ) { $0.isShipped }

    static let documentedQueue = Rule(name: "every public declaration of Queue is documented") {
        file in
        guard file.isSwift, file.module == "Queue" else { return [] }
        let lines = file.lines.map { $0.drop { $0 == " " } }
        return lines.indices.filter { lines[$0].hasPrefix("public ") }.filter {
            !isDocumented(lines, at: $0)
        }.map {
            Finding(path: file.path, line: $0 + 1, message: "public, and not documented")
        }
    }

    private static func isDocumented(_ lines: [Substring], at index: Int) -> Bool {
        if lines[index].hasPrefix("public import") { return true }
        let above = lines[..<index].last { !$0.hasPrefix("@") }
        return above?.hasPrefix("///") ?? false
    }
}

extension Rule {
    /// Every rule that looks at one file at a time.
    static let all: [Rule] = [
        fileLength, lineLength, functionLength,
        importArrows, purePartsOfIngest, ingestReadsNoBodies, queueKnowsNoFormats, sqlInOnePlace,
        noPackages, threadsNotTasks,
        commitsInsideGate, gateOnlyForHolders, sqliteInOnePlace,
        forcedTry, forcedCast, silentTrap, printing, sleeping, leftOpen, machinePath, otherWords,
        documentedQueue,
    ]
}
