import Base

/// The answer to "was it delivered, read, when, at what price, and why not?", from its statuses.
struct MessageSummary {
    let message: String
    let statuses: [FoundStatus]

    /// The status that got furthest; of several, the one that happened first.
    private var furthest: FoundStatus? {
        statuses.max { left, right in
            left.stage == right.stage
                ? Self.moment(left) > Self.moment(right) : left.stage < right.stage
        }
    }

    /// One price: of the status that says most.
    private var pricing: FoundStatus.Pricing? {
        let all = statuses.compactMap(\.pricing)
        return all.first { $0.isBillable == true } ?? all.first
    }

    private static func moment(_ status: FoundStatus) -> Timestamp {
        status.happenedAt ?? status.receivedAt ?? Timestamp(rawValue: .max)
    }

    private func first(_ name: String) -> Timestamp? {
        statuses.filter { $0.status == name }.map(Self.moment).min()
    }

    private var faults: [FoundStatus.Fault] {
        var faults: [FoundStatus.Fault] = []
        for fault in statuses.flatMap(\.errors) where !faults.contains(fault) {
            faults.append(fault)
        }
        return faults
    }

    var json: JSONValue {
        [
            "status": .optional(furthest?.status),
            "sent_at": .optional(first("sent")?.rfc3339),
            "delivered_at": .optional(first("delivered")?.rfc3339),
            "read_at": .optional(first("read")?.rfc3339),
            "failed_at": .optional(first("failed")?.rfc3339),
            "pricing": pricing?.json ?? .null,
            "errors": .array(faults.map(\.json)),
        ]
    }

    var facts: Facts {
        var facts = Facts()
        facts.add("message", message, .strong)
        guard let furthest else {
            facts.add("status", "none was found", .warning)
            return facts
        }
        let tone: Tone =
            furthest.stage >= 3 ? .good : furthest.status == "failed" ? .bad : .ordinary
        facts.add("status", furthest.status, tone)
        for name in ["sent", "delivered", "read", "failed"] {
            guard let moment = first(name) else { continue }
            let participants = Set(
                statuses.filter { $0.status == name }.compactMap(\.participant)
            ).count
            let group = participants > 1 ? ", the first of \(participants) participants" : ""
            facts.add(name, moment.rfc3339 + group)
        }
        facts.add("price", pricing?.text ?? "no status says")
        for fault in faults { facts.add("why", fault.text, .bad) }
        return facts
    }
}
