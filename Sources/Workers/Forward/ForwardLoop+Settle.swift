import Base
import Queue

extension ForwardLoop {
    /// Judges every request that has ended.
    func judgeEnds() {
        for completion in client.takeEnded() {
            guard let unit = inFlight.removeValue(forKey: completion.ticket) else { continue }
            unit.lane.inFlightCount -= 1
            if completion.result == .failed(.cancelled) {
                // We gave it up: it says nothing about the receiver, and was never counted.
                unit.lane.metrics.count(.cancelled)
                unit.lane.held.subtract(unit.deliveries.map(\.id))
            } else {
                judge(completion, of: unit)
            }
        }
    }

    /// Stores what was judged, in one transaction for each destination; what cannot be stored now
    /// is kept.
    ///
    /// - Returns: whether anything was stored.
    @discardableResult
    func settle(isLast: Bool = false) throws(QueueError) -> Bool {
        var hasSettled = false
        for lane in lanes
        where !lane.unsettled.isEmpty
            && (isLast || lane.wantsSettling(now: MonotonicClock.now()))
        {
            CrashPoint.reached(.afterAnswer)
            try session.forward.settle(
                lane.unsettled, now: .now(),
                closedTime: lane.closedClock.reading(now: MonotonicClock.now()),
                at: lane.destination.name)
            lane.held.subtract(lane.unsettled.map(\.delivery.id))
            lane.unsettled.removeAll(keepingCapacity: true)
            lane.unsettledSince = nil
            hasSettled = true
        }
        return hasSettled
    }

    private func judge(_ completion: HTTPCompletion, of unit: DispatchUnit) {
        let lane = unit.lane
        let now = MonotonicClock.now()
        let answer = AttemptAnswer(completion, now: .now())
        let change = lane.breaker.record(
            Self.signal(of: answer, unit: unit), isProbe: unit.isProbe, now: now)
        lane.closedClock.follow(isClosed: lane.breaker.isClosed, now: now)
        note(answer, completion, lane, now: now)
        announce(change, lane)
        let isFree =
            unit.isProbe || !lane.breaker.isClosed
            || lane.breaker.openingCount != unit.openingCount
        for delivery in unit.deliveries {
            let history = ForwardPolicy.History(
                attemptCount: delivery.attemptCount,
                refusalCount: delivery.refusalCount,
                attemptTotal: delivery.attemptTotal,
                age: delivery.ageStarted.map { lane.closedClock.reading(now: now) - $0 },
                isTogether: unit.deliveries.count > 1)
            let outcome = settings.policy.outcome(
                of: answer, history: history, isFree: isFree, jitter: .random(in: 0..<1))
            report(outcome, of: delivery, answer: answer)
            lane.unsettledSince = lane.unsettledSince ?? now
            lane.unsettled.append(
                Self.settlement(of: delivery, answer, completion, outcome))
        }
    }

    private static func signal(of answer: AttemptAnswer, unit: DispatchUnit) -> Breaker.Signal {
        switch answer.kind {
        case .delivered: .success
        case .transient, .refused: .failure(conversation: unit.conversation)
        case .unreached: .unreached(isRefused: answer == .failed(.connectionRefused))
        }
    }

    private static func settlement(
        of delivery: Delivery, _ answer: AttemptAnswer, _ completion: HTTPCompletion,
        _ outcome: ForwardPolicy.Outcome
    ) -> Settlement {
        Settlement(
            delivery: delivery,
            attempt: Attempt(
                number: delivery.attemptTotal + 1,
                startedAt: completion.startedAt,
                duration: completion.duration,
                result: answer.result,
                status: answer.status,
                answer: completion.answerBody,
                isSpent: outcome.isSpent),
            outcome: Settlement.Outcome(outcome, status: answer.status, now: .now()),
            isRefusal: answer.kind == .refused && outcome.isSpent,
            startsAge: outcome.startsAge)
    }

    private func note(
        _ answer: AttemptAnswer, _ completion: HTTPCompletion, _ lane: Lane, now: Duration
    ) {
        metrics.attemptDuration.observe(completion.duration)
        switch answer.kind {
        case .delivered: lane.metrics.count(.delivered)
        case .refused: lane.metrics.count(.refused)
        case .transient: lane.metrics.count(.transient)
        case .unreached: lane.metrics.count(.unreached)
        }
        if answer.kind == .delivered, completion.isHTML { metrics.htmlAnswers.add() }
        guard let status = answer.status,
            let hint = lane.hints.noted(status: status, now: now)
        else { return }
        log.warning(
            "the receiver's answer points to its set-up",
            [
                "destination": .string(lane.destination.label), "status": .int(status),
                "advice": .string(hint.advice),
            ])
    }

    private func announce(_ change: Breaker.Change?, _ lane: Lane) {
        lane.metrics.show(lane.breaker)
        switch change {
        case .opened(let delay):
            lane.metrics.breakerOpenings.add()
            log.warning(
                "the receiver is down, breaker opened: waiting deliveries spend no attempts",
                [
                    "destination": .string(lane.destination.label),
                    "probe_in_ms": .int(Int(delay.milliseconds)),
                ])
        case .closed(let probeCount):
            log.notice(
                "the receiver is back, breaker closed: slow start",
                ["destination": .string(lane.destination.label), "probes": .int(probeCount)])
        case nil:
            break
        }
    }

    private func report(
        _ outcome: ForwardPolicy.Outcome, of delivery: Delivery, answer: AttemptAnswer
    ) {
        switch outcome {
        case .delivered:
            metrics.delivered.add()
            guard log.isEnabled(.debug) else { return }
            log.debug(
                "delivered",
                [
                    "delivery": .int(Int(delivery.id.rawValue)),
                    "delivery_id": .string(delivery.envelope.key),
                    "webhook": .int(Int(delivery.envelope.webhook.rawValue)),
                    "status": .int(answer.status ?? 0),
                ])
        case .retry(let delay, let isSpent):
            guard log.isEnabled(.info) else { return }
            log.info(
                "attempt failed, will retry",
                [
                    "delivery": .int(Int(delivery.id.rawValue)), "result": .string(answer.result),
                    "status": .int(answer.status ?? 0), "spent": .bool(isSpent),
                    "delay_ms": .int(Int(delay.milliseconds)),
                ])
        case .dead(let cause):
            metrics.dead.add()
            log.warning(
                "delivery is a dead letter now",
                [
                    "delivery": .int(Int(delivery.id.rawValue)), "result": .string(answer.result),
                    "status": .int(answer.status ?? 0), "cause": .string("\(cause)"),
                ])
        case .alone:
            log.info(
                "a batch failed, its deliveries go one by one",
                [
                    "delivery": .int(Int(delivery.id.rawValue)), "result": .string(answer.result),
                    "status": .int(answer.status ?? 0),
                ])
        }
    }
}

extension AttemptAnswer {
    init(_ completion: HTTPCompletion, now: Timestamp) {
        switch completion.result {
        case .answered(let answer):
            self = .answered(
                status: answer.status,
                retryAfter: answer.retryAfter.flatMap { RetryAfter.parse($0, now: now) })
        case .failed(let failure):
            self = .failed(failure)
        }
    }

    /// The word in the attempt's row.
    var result: String {
        switch self {
        case .answered: "answered"
        case .failed(let failure): failure.rawValue
        }
    }
}

extension HTTPCompletion {
    var answerBody: [UInt8] {
        switch result {
        case .answered(let answer): answer.body
        case .failed: []
        }
    }

    /// Says so by its type, or begins like a page.
    var isHTML: Bool {
        guard case .answered(let answer) = result else { return false }
        if answer.contentType?.lowercased().hasPrefix("text/html") == true, !answer.body.isEmpty {
            let start = answer.body.drop { $0 <= 32 }.first
            return start == UInt8(ascii: "<")
        }
        return answer.body.starts(with: Array("<!DOCTYPE".utf8))
    }
}

extension ForwardPolicy.Outcome {
    /// Whether the attempt counts against the budget; a delivery's last one always does.
    var isSpent: Bool {
        switch self {
        case .delivered, .dead: true
        case .retry(_, let isSpent): isSpent
        case .alone: false
        }
    }

    /// Whether the delivery counts as failed from now on.
    var startsAge: Bool {
        switch self {
        case .alone: true
        case .delivered, .dead, .retry: isSpent
        }
    }
}

extension Settlement.Outcome {
    init(_ outcome: ForwardPolicy.Outcome, status: Int?, now: Timestamp) {
        switch outcome {
        case .delivered: self = .delivered
        case .retry(let delay, _), .alone(let delay): self = .retry(at: now + delay)
        case .dead(.refused(let status)): self = .dead(.refused(status: status))
        case .dead(.attemptsSpent): self = .dead(.attemptsSpent(status: status))
        case .dead(.tooOld): self = .dead(.tooOld(status: status))
        }
    }
}
