import Base
import Queue

/// What `status` says, in its two forms.
struct StatusReport {
    let location: QueueLocation
    let statistics: QueueStatistics
    let walByteCount: Int
    let diskFreeByteCount: Int?
    let breaker: BreakerState
    let now: Timestamp

    // MARK: For scripts

    var json: JSONValue {
        [
            "queue": [
                "path": .string(location.path),
                "id": .string(statistics.queueID),
                "schema_version": .int(statistics.schemaVersion),
            ],
            "log": [
                "last_id": .int(Int(statistics.lastID.rawValue)),
                "webhooks": .int(statistics.storedCount),
            ],
            "lake": lake,
            "forward": forward,
            "dead_letters": deadLetters,
            "breaker": breaker.json,
            "books": BooksReport(books: statistics.books).json,
            "sizes": sizes,
        ]
    }

    private var lake: JSONValue {
        [
            "cursor": .int(Int(statistics.lake.cursor.rawValue)),
            "lag": .int(statistics.lake.lag),
            "oldest_received_at": .optional(statistics.lake.oldestReceivedAt?.rfc3339),
            "unshipped_batches": .int(statistics.unshippedBatchCount),
            "unshipped_statuses": .int(statistics.unshippedLineCount),
            "oldest_unshipped_at": .optional(statistics.oldestUnshippedAt?.rfc3339),
            "shipped_statuses": .int(statistics.count(.lakeShipped)),
        ]
    }

    private var forward: JSONValue {
        [
            "cursor": .int(Int(statistics.forward.cursor.rawValue)),
            "lag": .int(statistics.forward.lag),
            "oldest_received_at": .optional(statistics.forward.oldestReceivedAt?.rfc3339),
            "waiting_deliveries": .int(statistics.count(.waitingDeliveries)),
            "waiting_events": .int(statistics.count(.waiting)),
            "retrying_deliveries": .int(statistics.retryingCount),
            "oldest_waiting_at": .optional(statistics.oldestWaitingAt?.rfc3339),
            "delivered_events": .int(statistics.count(.delivered)),
        ]
    }

    private var deadLetters: JSONValue {
        let reasons = statistics.deadByReason.sorted { $0.key < $1.key }
        return [
            "count": .int(statistics.count(.deadLetters)),
            "events": .int(statistics.count(.dead)),
            "oldest_at": .optional(statistics.oldestDeadAt?.rfc3339),
            "by_reason": .object(reasons.map { .init(key: $0.key, value: .int($0.value.count)) }),
        ]
    }

    private var sizes: JSONValue {
        [
            "database_bytes": .int(statistics.pageCount * statistics.pageByteCount),
            "used_bytes": .int(statistics.usedByteCount),
            "wal_bytes": .int(walByteCount),
            "disk_free_bytes": .optional(diskFreeByteCount),
        ]
    }

    // MARK: For people

    var facts: Facts {
        var facts = Facts()
        facts.add(
            "queue",
            "\(location.path), id \(statistics.queueID), schema \(statistics.schemaVersion)")
        facts.add(
            "log",
            "\(Humane.count(Int(statistics.lastID.rawValue))) webhooks so far, "
                + "\(Humane.count(statistics.storedCount)) kept")
        facts.add("lake", lakeWords, tone(of: statistics.lake, alsoWaiting: unshippedSince))
        facts.add("forward", words(of: statistics.forward), tone(of: statistics.forward))
        facts.add("deliveries", deliveryWords, statistics.retryingCount > 0 ? .warning : .ordinary)
        facts.add("dead letters", deadWords, hasDead ? .bad : .good)
        let (text, tone) = breaker.words
        facts.add("breaker", text, tone)
        facts.add("sizes", sizeWords)
        let (bookWords, bookTone) = BooksReport(books: statistics.books).words
        facts.add("books", bookWords, bookTone)
        return facts
    }

    /// What waits longer than this deserves a look.
    private static let ageUnsuspicious = Duration.seconds(120)

    private var hasDead: Bool { statistics.count(.deadLetters) > 0 }
    private var unshippedSince: Timestamp? { statistics.oldestUnshippedAt }

    private func words(of consumer: QueueStatistics.ConsumerState) -> String {
        guard consumer.lag > 0 else { return "up to date" }
        let lag = Humane.count(consumer.lag, "webhook") + " behind"
        guard let oldest = consumer.oldestReceivedAt else { return lag }
        return lag + ", the oldest for " + Humane.age(since: oldest, now: now)
    }

    private var lakeWords: String {
        var text = words(of: statistics.lake)
        if statistics.unshippedBatchCount > 0 {
            text += "; \(Humane.count(statistics.unshippedBatchCount, "batch", "batches")) sealed "
            text += "and not shipped (\(Humane.count(statistics.unshippedLineCount)) statuses"
            text += unshippedSince.map { ", \(Humane.age(since: $0, now: now)))" } ?? ")"
        }
        let shipped = Humane.count(statistics.count(.lakeShipped), "status", "statuses")
        return text + "; \(shipped) in the lake"
    }

    private var deliveryWords: String {
        var text = Humane.count(statistics.count(.waitingDeliveries)) + " waiting"
        if statistics.retryingCount > 0 {
            text += ", \(Humane.count(statistics.retryingCount)) of them failed before"
        }
        if let oldest = statistics.oldestWaitingAt {
            text += ", the oldest for " + Humane.age(since: oldest, now: now)
        }
        return text + "; \(Humane.count(statistics.count(.delivered), "event")) delivered"
    }

    private var deadWords: String {
        guard hasDead else { return "none" }
        let reasons = statistics.deadByReason.sorted { $0.key < $1.key }
            .map { "\($0.key) \(Humane.count($0.value.count))" }.joined(separator: ", ")
        let oldest =
            statistics.oldestDeadAt.map { ", the oldest for \(Humane.age(since: $0, now: now))" }
            ?? ""
        return "\(Humane.count(statistics.count(.deadLetters))) (\(reasons))\(oldest)"
    }

    private var sizeWords: String {
        let database = Humane.size(statistics.pageCount * statistics.pageByteCount)
        let free =
            diskFreeByteCount.map { ", \(Humane.size($0)) free on the disk" } ?? ""
        return "database \(database) (\(Humane.size(statistics.usedByteCount)) used), "
            + "WAL \(Humane.size(walByteCount))\(free)"
    }

    private func tone(
        of consumer: QueueStatistics.ConsumerState,
        alsoWaiting since: Timestamp? = nil
    ) -> Tone {
        let oldest = [consumer.lag > 0 ? consumer.oldestReceivedAt : nil, since].compactMap { $0 }
        guard let oldest = oldest.min() else { return .good }
        return now.since(oldest) > Self.ageUnsuspicious ? .warning : .ordinary
    }
}
