extension Rule {
    /// Where SQLite is asked to commit or to checkpoint; each passes the gate or is called by a
    /// holder of it.
    private static let gated: Set = [
        "Sources/Queue/SQLite/Connection.swift", "Sources/Queue/SQLite/Statement.swift",
        "Sources/Queue/Upkeep/Checkpoint.swift",
    ]
    /// Who holds the gate already: ingest's group, the migration of a file, ingest's own relief.
    private static let holders: Set = [
        "Sources/Queue/SQLite/Connection.swift", "Sources/Queue/Upkeep/Checkpoint.swift",
        "Sources/Queue/Log/WebhookLog.swift", "Sources/Queue/Migrator.swift",
        "Sources/Ingest/Store.swift",
    ]

    static let commitsInsideGate = Rule(name: "no statement commits or checkpoints by itself") {
        file in
        guard file.isSwift, file.module == "Queue", !gated.contains(file.path) else { return [] }
        let statement =
            "(?i)^\\s*(begin|commit|end|rollback|savepoint|release)\\s*(;|$|immediate|deferred"
            + "|exclusive|transaction)|\\bwal_checkpoint\\b|\\bwal_autocheckpoint\\b"
            + "|\\bvacuum\\b(?!\\s+into)"
        return SwiftText(file.text).literals
            .filter { !matches(of: statement, in: $0.text).isEmpty }
            .map {
                Finding(
                    path: file.path, line: $0.line,
                    message: "use `write` or `checkpoint`, which pass the gate")
            }
    }

    static let gateOnlyForHolders = code(
        "only holders of the gate write without taking it",
        bans: "\\b(writeHoldingGate|checkpointHoldingGate|appendHoldingGate)\\s*[({]",
        because: "name the file in GateRules, with the reason why the gate is held there"
    ) { $0.isShipped && !holders.contains($0.path) }

    static let sqliteInOnePlace = code(
        "SQLite is called from one folder",
        bans: "\\bsqlite3_(exec|step|wal_checkpoint\\w*|prepare\\w*|open\\w*|backup\\w*)\\s*\\(",
        because: "a connection of its own would know nothing of the gate"
    ) { $0.isShipped && !gated.contains($0.path) }
}
