/// What a look at a lake came to.
struct LakeFindings {
    let lake: String
    let queueID: String
    /// The first day that was looked at.
    let since: String?
    /// Whether only names and sizes were looked at.
    let isQuick: Bool

    var objectCount = 0
    var byteCount = 0
    /// Objects of this queue that the books know.
    var ownCount = 0
    /// Objects with another queue's id in their name.
    var otherCount = 0
    var otherQueues: Set<String> = []
    /// Objects of this queue that are older than its books.
    var beforeBooksCount = 0
    /// Objects that no pipeline named, Firehose's say.
    var strangeCount = 0
    /// Batches that are sealed, safe in the spool, and on their way.
    var waitingCount = 0
    var lineCount = 0
    /// Lines without a key of ours.
    var unkeyedCount = 0
    /// Keys that several hosts wrote, each once: a webhook that was sent to each of them.
    var sharedCount = 0
    /// Keys that stand twice in objects no pipeline named: Firehose repeats.
    var repeatedCount = 0

    /// The first of the problems; all of them are counted.
    private(set) var problems: [LakeProblem] = []
    private(set) var problemCounts: [LakeProblem.Kind: Int] = [:]

    /// A lake that was deleted must not fill memory with what is missing in it.
    static let problemsMax = 1_000

    var isWell: Bool { problemCounts.isEmpty }

    mutating func add(_ kind: LakeProblem.Kind, _ subject: String, _ detail: String) {
        problemCounts[kind, default: 0] += 1
        guard problems.count < Self.problemsMax else { return }
        problems.append(LakeProblem(kind: kind, subject: subject, detail: detail))
    }

    init(lake: String, queueID: String, since: String?, isQuick: Bool) {
        self.lake = lake
        self.queueID = queueID
        self.since = since
        self.isQuick = isQuick
    }

    var json: JSONValue {
        [
            "verdict": isWell ? "ok" : "fail",
            "lake": .string(lake),
            "queue_id": .string(queueID),
            "since": .optional(since),
            "quick": .bool(isQuick),
            "objects": [
                "count": .int(objectCount), "bytes": .int(byteCount), "own": .int(ownCount),
                "other_hosts": .int(otherCount),
                "other_queue_ids": .array(otherQueues.sorted().map { .string($0) }),
                "before_books": .int(beforeBooksCount), "strange": .int(strangeCount),
            ],
            "waiting": .int(waitingCount),
            "statuses": [
                "lines": .int(lineCount), "without_key": .int(unkeyedCount),
                "shared": .int(sharedCount), "repeated": .int(repeatedCount),
            ],
            "problems": .object(
                LakeProblem.Kind.allCases.map {
                    .init(key: $0.rawValue, value: .int(problemCounts[$0] ?? 0))
                }),
            "items": .array(
                problems.map {
                    [
                        "id": .string($0.subject), "kind": .string($0.kind.rawValue),
                        "detail": .string($0.detail),
                    ]
                }),
        ]
    }

    var facts: Facts {
        var facts = Facts()
        facts.add("lake", lake + (since.map { ", since \($0)" } ?? ""))
        facts.add(
            "objects", "\(Humane.count(objectCount)), \(Humane.size(byteCount))")
        facts.add("of this queue", Humane.count(ownCount))
        if otherCount > 0 {
            let hosts = Humane.count(otherQueues.count, "other queue")
            facts.add("of other hosts", "\(Humane.count(otherCount)), of \(hosts)")
        }
        if beforeBooksCount > 0 {
            let text = "\(Humane.count(beforeBooksCount)), no longer in the books"
            facts.add("of long ago", text)
        }
        if strangeCount > 0 {
            facts.add("of somebody else", "\(Humane.count(strangeCount)), by their names")
        }
        if waitingCount > 0 {
            facts.add("on the way", "\(Humane.count(waitingCount)), safe in the spool")
        }
        if isQuick {
            facts.add("not looked at", "what is in the objects: leave --quick out", .warning)
        } else {
            addStatuses(to: &facts)
        }
        if isWell { facts.add("verdict", "nothing is wrong", .good) }
        for kind in LakeProblem.Kind.allCases {
            guard let count = problemCounts[kind] else { continue }
            let name = kind.rawValue.replacing("_", with: " ")
            facts.add(name, "\(Humane.count(count)): \(LakeProblem.advice(on: kind))", .bad)
        }
        return facts
    }

    private func addStatuses(to facts: inout Facts) {
        facts.add("statuses", Humane.count(lineCount))
        if unkeyedCount > 0 { facts.add("without a key", Humane.count(unkeyedCount), .warning) }
        if sharedCount > 0 {
            facts.add("shared", "\(Humane.count(sharedCount)), written by several hosts")
        }
        if repeatedCount > 0 { facts.add("repeated", "\(Humane.count(repeatedCount)) by Firehose") }
    }

    /// The problems one by one.
    var table: Table {
        Table(
            columns: [.init(title: "WRONG"), .init(title: "WHAT"), .init(title: "WHERE")],
            rows: problems.map { problem in
                let file = problem.subject.split(separator: "/").last.map(String.init)
                return [
                    .init(problem.kind.rawValue, tone: .bad), .init(problem.detail),
                    .init(problem.subject, humane: file),
                ]
            })
    }
}
