import Base

/// What becomes of a delivery after one attempt.
public struct Settlement: Sendable {
    /// The verdict on the attempt.
    public enum Outcome: Sendable, Equatable {
        /// The receiver accepted it.
        case delivered
        /// It keeps its turn and is due again at this moment.
        case retry(at: Timestamp)
        /// It is given up; its conversation goes on without it.
        case dead(DeadReason)
    }

    /// As it was claimed.
    public let delivery: Delivery
    /// The try that is judged.
    public let attempt: Attempt
    /// The verdict.
    public let outcome: Outcome
    /// Whether the receiver refused it, which has a smaller budget than failing.
    public let isRefusal: Bool
    /// Whether it counts as failed from now on: its age begins, and it goes alone.
    public let startsAge: Bool

    /// Judges one attempt.
    ///
    /// - Parameters:
    ///   - delivery: as it was claimed.
    ///   - attempt: the try that is judged.
    ///   - outcome: the verdict.
    ///   - isRefusal: whether the receiver refused it.
    ///   - startsAge: nil: where the attempt is spent.
    public init(
        delivery: Delivery, attempt: Attempt, outcome: Outcome, isRefusal: Bool,
        startsAge: Bool? = nil
    ) {
        self.startsAge = startsAge ?? attempt.isSpent
        self.delivery = delivery
        self.attempt = attempt
        self.outcome = outcome
        self.isRefusal = isRefusal
    }
}

extension ForwardBooks {
    /// Stores what became of attempts, in one transaction.
    ///
    /// Settles only what is still held: a delivery that was replayed, discarded or erased meanwhile
    /// is left as it is.
    ///
    /// - Parameters:
    ///   - settlements: at most one for a delivery.
    ///   - now: wall time; passed in so that tests own it.
    ///   - closedTime: how long the destination's breaker has been closed over the life of the
    ///     queue.
    ///   - destination: where all of them went.
    /// - Throws: what every method of a session may throw; nothing is settled then.
    public func settle(
        _ settlements: [Settlement],
        now: Timestamp,
        closedTime: Duration,
        at destination: String = ""
    ) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            for settlement in settlements {
                try settle(settlement, now: now, closedTime: closedTime)
            }
            try setClosedTime(closedTime, of: destination)
            CrashPoint.reached(.insideSettle)
        }
        CrashPoint.reached(.afterSettle)
    }

    private func settle(
        _ settlement: Settlement,
        now: Timestamp,
        closedTime: Duration
    ) throws(QueueError) {
        let delivery = settlement.delivery
        guard let position = try heldPosition(of: delivery) else { return }
        try AttemptRow.insert(settlement.attempt, of: delivery.id, connection)
        switch settlement.outcome {
        case .delivered:
            try close(delivery, position: position, settlement: settlement, now: now, as: nil)
            try counters.add(delivery.envelope.eventCount, to: .delivered)
        case .dead(let reason):
            try close(delivery, position: position, settlement: settlement, now: now, as: reason)
            try counters.add(delivery.envelope.eventCount, to: .dead)
            try counters.add(1, to: .deadLetters)
        case .retry(let dueAt):
            try postpone(settlement, until: dueAt, closedTime: closedTime)
        }
    }

    /// - Returns: `nil` where the delivery no longer waits, or waits for another replay.
    private func heldPosition(of delivery: Delivery) throws(QueueError) -> Int64? {
        let select = try connection.statement(
            """
            select position from delivery
            where id = ?1 and state = 'waiting' and replay_count = ?2
            """
        )
        defer { select.reset() }

        select.bind(1, delivery.id.rawValue)
        select.bind(2, delivery.replayCount)
        return try select.step() ? select.int64(0) : nil
    }

    private func close(
        _ delivery: Delivery,
        position: Int64,
        settlement: Settlement,
        now: Timestamp,
        as reason: DeadReason?
    ) throws(QueueError) {
        let update = try connection.statement(.closeDelivery)
        update.bind(1, delivery.id.rawValue)
        update.bind(2, reason == nil ? "delivered" : "dead")
        update.bind(3, now.rawValue)
        update.bind(4, reason?.name)
        update.bind(5, reason?.status.map(Int64.init))
        update.bind(6, settlement.attempt.number)
        update.bind(7, settlement.attempt.isSpent)
        update.bind(8, settlement.isRefusal)
        try update.run()
        try places.leave(delivery.envelope.conversations, position: position, now: now)
        try counters.add(-delivery.envelope.eventCount, to: .waiting)
        try counters.add(-1, to: .waitingDeliveries)
    }

    private func postpone(
        _ settlement: Settlement,
        until dueAt: Timestamp,
        closedTime: Duration
    ) throws(QueueError) {
        let attempt = settlement.attempt
        let update = try connection.statement(.postponeDelivery)
        update.bind(1, settlement.delivery.id.rawValue)
        update.bind(2, dueAt.rawValue)
        update.bind(3, attempt.number)
        update.bind(4, attempt.isSpent)
        update.bind(5, settlement.isRefusal)
        update.bind(6, settlement.startsAge ? closedTime.milliseconds : nil)
        try update.run()
    }
}

extension SQL {
    static let closeDelivery: SQL = """
        update delivery set state = ?2, settled_at = ?3, reason = ?4, reason_status = ?5,
          attempt_total = ?6, attempt_count = attempt_count + ?7,
          refusal_count = refusal_count + ?8, position = null, due_at = null
        where id = ?1
        """

    static let postponeDelivery: SQL = """
        update delivery set due_at = case when due_at is not null then ?2 end,
          attempt_total = ?3, attempt_count = attempt_count + ?4,
          refusal_count = refusal_count + ?5, age_started = coalesce(age_started, ?6)
        where id = ?1
        """
}
