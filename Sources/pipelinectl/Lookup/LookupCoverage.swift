/// Where `lookup` looked, and where it did not: an answer is worth no more than that.
struct LookupCoverage {
    /// LAKE_URL.
    let lake: String
    /// The first day of the lake that was asked for.
    let since: String
    var spoolCount = 0
    var lakeDayCount = 0
    var lakeObjectCount = 0
    var lakeByteCount = 0
    /// Objects of those days that were not read, since ``objectsMax`` were.
    var leftOutCount = 0
    /// Why the lake was not read to its end.
    var trouble: String?
    /// Objects and spool files that could not be read, each with the reason.
    var unreadable: [String] = []

    /// Whether everything that was asked for was looked at.
    var isComplete: Bool { leftOutCount == 0 && trouble == nil && unreadable.isEmpty }

    var json: JSONValue {
        [
            "log": true,
            "deliveries": true,
            "spool": ["objects": .int(spoolCount)],
            "lake": [
                "url": .string(lake), "since": .string(since), "days": .int(lakeDayCount),
                "objects": .int(lakeObjectCount), "bytes": .int(lakeByteCount),
                "left_out": .int(leftOutCount), "trouble": .optional(trouble),
            ],
        ]
    }

    var facts: Facts {
        var facts = Facts()
        facts.add(
            "looked in",
            "the log, the deliveries, "
                + Humane.count(spoolCount, "spooled batch", "spooled batches")
        )
        facts.add(
            "",
            "\(lake) since \(since): \(Humane.count(lakeObjectCount, "object")), "
                + Humane.size(lakeByteCount))
        for line in notLookedAt { facts.add("not looked at", line, .warning) }
        facts.add("not looked at", "the lake before \(since): --since goes back further", .faint)
        return facts
    }

    /// What was asked for, and not looked at.
    var notLookedAt: [String] {
        var lines: [String] = []
        if leftOutCount > 0 {
            let count = Humane.count(leftOutCount, "older object")
            lines.append("\(count) of the lake: --limit reads more")
        }
        if let trouble { lines.append("the lake: \(trouble)") }
        return lines + unreadable
    }
}
