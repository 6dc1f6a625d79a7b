import Base
import Queue
import Synchronization

/// What `/metrics` says of the queue itself, read from the file whichever pools run here.
///
/// Read when somebody asks, at most once a second, on the thread that asks: ``refresh()``. A queue
/// that cannot be read keeps its last figures, and that is counted.
final class QueueMetrics: Sendable {
    private let location: QueueLocation
    private let gate: Gate
    private let lastRead = Mutex<Duration?>(nil)
    private let readFailures: Counter
    private let stored: Gauge
    private let balances: Gauge
    private let lag: [Consumer: Gauge]
    private let oldestAge: [Consumer: Gauge]
    private let unshippedStatuses: Gauge
    private let unshippedAge: Gauge
    private let waiting: Gauge
    private let retrying: Gauge
    private let waitingAge: Gauge
    private let deadLetters: [String: Gauge]
    private let deadLetterAge: [String: Gauge]
    private let databaseBytes: Gauge
    private let usedBytes: Gauge

    private enum Consumer: String, CaseIterable { case lake, forward }

    private static let readInterval = Duration.seconds(1)

    /// Registers everything; reads nothing yet.
    init(_ registry: MetricsRegistry, location: QueueLocation, gate: Gate) {
        self.location = location
        self.gate = gate
        readFailures = registry.counter(
            "workers_queue_read_failures_total",
            help: "Times that the figures of the queue could not be read.")
        stored = registry.gauge(
            "workers_queue_webhooks", help: "Webhooks in the log.")
        balances = registry.gauge(
            "workers_queue_balances",
            help: "1 where every event is in one of its places, 0 where the books do not balance.")
        lag = Self.byConsumer { labels in
            registry.gauge(
                "workers_queue_lag_webhooks", help: "Webhooks that a consumer has still to read.",
                labels: labels)
        }
        oldestAge = Self.byConsumer { labels in
            registry.gauge(
                "workers_queue_oldest_age_seconds",
                help: "Age of the oldest webhook that a consumer has still to read; 0 for none.",
                labels: labels)
        }
        unshippedStatuses = registry.gauge(
            "workers_queue_unshipped_statuses", help: "Statuses sealed and not in the lake.")
        unshippedAge = registry.gauge(
            "workers_queue_unshipped_age_seconds",
            help: "Age of the oldest batch that is sealed and not in the lake; 0 for none.")
        waiting = registry.gauge(
            "workers_queue_waiting_deliveries", help: "Deliveries that PHP has not accepted yet.")
        retrying = registry.gauge(
            "workers_queue_retrying_deliveries", help: "Those of them that have failed before.")
        waitingAge = registry.gauge(
            "workers_queue_waiting_age_seconds",
            help: "Age of the webhook of the delivery that waits longest; 0 for none.")
        deadLetters = Self.byReason { labels in
            registry.gauge(
                "workers_queue_dead_letters", help: "Dead letters that nobody has decided on.",
                labels: labels)
        }
        deadLetterAge = Self.byReason { labels in
            registry.gauge(
                "workers_queue_dead_letter_age_seconds",
                help: "Time since the oldest of them was given up; 0 for none.", labels: labels)
        }
        databaseBytes = registry.gauge(
            "workers_queue_database_bytes", help: "Size of the database file.")
        usedBytes = registry.gauge(
            "workers_queue_used_bytes", help: "Bytes of it that hold something.")
        registerFiles(registry)
    }

    /// What `stat` alone tells.
    private func registerFiles(_ registry: MetricsRegistry) {
        let location = location
        registry.gauge(
            "workers_queue_wal_bytes", help: "Size of SQLite's write-ahead log.",
            read: { Double(FileFacts.byteCount(location.walPath)) })
        registry.gauge(
            "workers_queue_spool_bytes", help: "Size of the sealed batches in the spool.",
            read: { Double(FileFacts.byteCount(inDirectory: location.spoolDirectory)) })
    }

    private static func byConsumer(
        _ make: ([String: String]) -> Gauge
    ) -> [Consumer: Gauge] {
        Dictionary(
            uniqueKeysWithValues: Consumer.allCases.map { ($0, make(["consumer": $0.rawValue])) })
    }

    private static func byReason(_ make: ([String: String]) -> Gauge) -> [String: Gauge] {
        Dictionary(uniqueKeysWithValues: DeadReason.names.map { ($0, make(["reason": $0])) })
    }

    /// Reads the queue anew unless that was done a moment ago; blocks as long as SQLite does.
    func refresh() {
        let now = MonotonicClock.now()
        let isDue = lastRead.withLock { lastRead -> Bool in
            if let lastRead, now - lastRead < Self.readInterval { return false }
            lastRead = now
            return true
        }
        guard isDue else { return }
        do throws(QueueError) {
            // A session of its own each time: it belongs to whichever thread asks.
            let session = try QueueSession.open(location, gate: gate, as: .tool)
            show(try session.statistics(), at: .now())
        } catch {
            readFailures.add()
        }
    }

    private func show(_ statistics: QueueStatistics, at now: Timestamp) {
        stored.set(Double(statistics.storedCount))
        balances.set(statistics.balances ? 1 : 0)
        for (consumer, state) in [(Consumer.lake, statistics.lake), (.forward, statistics.forward)]
        {
            lag[consumer]?.set(Double(state.lag))
            oldestAge[consumer]?.set(Self.age(state.oldestReceivedAt, at: now))
        }
        unshippedStatuses.set(Double(statistics.unshippedLineCount))
        unshippedAge.set(Self.age(statistics.oldestUnshippedAt, at: now))
        waiting.set(Double(statistics.count(.waitingDeliveries)))
        retrying.set(Double(statistics.retryingCount))
        waitingAge.set(Self.age(statistics.oldestWaitingAt, at: now))
        for reason in DeadReason.names {
            let pile = statistics.deadByReason[reason]
            deadLetters[reason]?.set(Double(pile?.count ?? 0))
            deadLetterAge[reason]?.set(Self.age(pile?.oldestAt, at: now))
        }
        databaseBytes.set(Double(statistics.pageCount * statistics.pageByteCount))
        usedBytes.set(Double(statistics.usedByteCount))
    }

    private static func age(_ moment: Timestamp?, at now: Timestamp) -> Double {
        moment.map { max(0, now.since($0).secondsFraction) } ?? 0
    }
}
