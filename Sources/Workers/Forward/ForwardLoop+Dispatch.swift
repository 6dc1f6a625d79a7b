import Base
import Queue

extension ForwardLoop {
    /// Deliveries looked at to find one whose conversation was not probed lately.
    private static let probeChoiceMax = Breaker.probedMax + 1

    /// Sends what is due, as far as breaker, rate and concurrency allow.
    func dispatch() throws(QueueError) {
        nextDispatchAt = nil
        while true {
            let now = MonotonicClock.now()
            switch breaker.admission(now: now) {
            case .wait(let until):
                nextDispatchAt = until
                return
            case .probe:
                guard try sendProbe(now: now) else { return }
            case .open(let concurrency):
                guard try sendDue(slotCount: concurrency - inFlight.count, now: now) else { return }
            }
        }
    }

    /// - Returns: whether more may be sent at once.
    private func sendDue(slotCount: Int, now: Duration) throws(QueueError) -> Bool {
        guard slotCount > 0 else { return false }
        if let until = limiter.waits(now: now) {
            nextDispatchAt = until
            return false
        }
        let limit = settings.ratePerSecondMax > 0 ? 1 : slotCount
        let deliveries = try session.forward.claim(limit: limit, now: .now(), excluding: held)
        for delivery in deliveries { send([delivery], isProbe: false, now: now) }
        guard deliveries.count == limit else {
            try waitForNextDue()
            return false
        }
        return settings.ratePerSecondMax > 0
    }

    private func sendProbe(now: Duration) throws(QueueError) -> Bool {
        let choice = try session.forward.claim(
            limit: Self.probeChoiceMax, now: .now(), excluding: held)
        let fresh = choice.first { delivery in
            !delivery.envelope.conversations.contains { breaker.probed.contains($0) }
        }
        guard let delivery = fresh ?? choice.first else {
            try waitForNextDue()
            return false
        }
        breaker.probeSent(conversation: delivery.envelope.conversations[0])
        send([delivery], isProbe: true, now: now)
        metrics.show(breaker)
        return false
    }

    private func waitForNextDue() throws(QueueError) {
        guard let due = try session.forward.nextDue(excluding: held) else { return }
        nextDispatchAt = MonotonicClock.now() + max(.zero, due.since(.now()))
    }

    private func send(_ deliveries: [Delivery], isProbe: Bool, now: Duration) {
        let ticket = nextTicket
        nextTicket += 1
        inFlight[ticket] = DispatchUnit(
            deliveries: deliveries, isProbe: isProbe, openingCount: breaker.openingCount)
        held.formUnion(deliveries.map(\.id))
        limiter.started(now: now)
        client.send(request.make(deliveries[0]), ticket: ticket)
    }
}
