import Base

/// When a batch closes: by bytes, by age, or at the hour.
///
/// Pure; time comes in as an argument.
///
/// - Bytes: before compression. A webhook is never split, so a webhook that would overflow an open
///   batch begins the next one, and only a batch of a single webhook may be larger than the limit.
/// - Age: since its first status was received, also when nothing else arrives. While a backlog is
///   drained every status is old; closing by that age would give one object for each slice read, so
///   there the time that the batch has been open counts instead.
/// - Hour: the hour of receipt, UTC. It may go back from one webhook to the next, where the clock
///   was set back: then too the hour is another one, and the batch closes.
struct BatchRules: Sendable, Equatable {
    /// Bytes of lines before compression.
    ///
    /// `LAKE_BATCH_BYTES_MAX`, default 64 MiB.
    var lineByteCountMax = 67_108_864
    /// `LAKE_BATCH_AGE_MAX`, default 60 s.
    var ageMax: Duration = .seconds(60)
    /// What the open batch keeps in memory is its keys, some 80 bytes for each of its statuses.
    var statusCountMax = 262_144

    /// What the rules need to know of an open batch.
    struct Measure: Sendable, Equatable {
        var hour: Int64
        var lineByteCount: Int
        var statusCount: Int
        /// When its first status was received, by the wall clock of ingest.
        var firstReceivedAt: Timestamp
        /// When it was opened here, by the monotonic clock.
        var openedAt: Duration
    }

    /// Hours since the epoch, rounded down also before 1970.
    static func hour(of moment: Timestamp) -> Int64 {
        let seconds = moment.seconds
        return seconds >= 0 ? seconds / 3_600 : (seconds - 3_599) / 3_600
    }

    /// Whether the batch must close before the lines of the next webhook are added.
    func closes(
        _ batch: Measure,
        before receivedAt: Timestamp,
        lineByteCount: Int,
        statusCount: Int
    ) -> Bool {
        batch.hour != Self.hour(of: receivedAt)
            || batch.lineByteCount + lineByteCount > lineByteCountMax
            || batch.statusCount + statusCount > statusCountMax
    }

    /// Whether the batch is full as it stands.
    func isFull(_ batch: Measure) -> Bool {
        batch.lineByteCount >= lineByteCountMax || batch.statusCount >= statusCountMax
    }

    /// How long the batch may stay open still; zero or less: it closes now.
    ///
    /// - Parameters:
    ///   - batch: the open batch.
    ///   - now: wall time, to compare with the time of receipt.
    ///   - uptime: monotonic time.
    ///   - isCaughtUp: nothing waits in the log behind this batch.
    /// - Returns: the time that is left.
    func timeLeft(
        for batch: Measure,
        now: Timestamp,
        uptime: Duration,
        isCaughtUp: Bool
    ) -> Duration {
        let leftOpen = ageMax - (uptime - batch.openedAt)
        guard isCaughtUp else { return leftOpen }
        return min(leftOpen, ageMax - now.since(batch.firstReceivedAt))
    }
}
