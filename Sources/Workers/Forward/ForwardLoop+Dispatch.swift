import Base
import Queue

extension ForwardLoop {
    /// Deliveries looked at to find one whose conversation was not probed lately.
    private static let probeChoiceMax = Breaker.probedMax + 1
    /// Deliveries, and bytes of bodies, that one claim takes into memory.
    private static let claimCountMax = 2_000
    private static let claimByteCountMax = 16 << 20

    /// Sends what is due, as far as breakers, rates and concurrency allow.
    func dispatch() throws(QueueError) {
        for lane in lanes { try dispatch(lane) }
    }

    private func dispatch(_ lane: Lane) throws(QueueError) {
        lane.nextDispatchAt = nil
        while true {
            let now = MonotonicClock.now()
            switch lane.breaker.admission(now: now) {
            case .wait(let until):
                lane.nextDispatchAt = until
                return
            case .probe:
                guard try sendProbe(lane, now: now) else { return }
            case .open(let concurrency):
                let slotCount = concurrency - lane.inFlightCount
                guard try sendDue(lane, slotCount: slotCount, now: now) else { return }
            }
        }
    }

    /// - Returns: whether more may be sent at once.
    private func sendDue(_ lane: Lane, slotCount: Int, now: Duration) throws(QueueError) -> Bool {
        guard slotCount > 0 else { return false }
        if let until = lane.limiter.waits(now: now) {
            lane.nextDispatchAt = until
            return false
        }
        let isPaced = lane.destination.ratePerSecondMax > 0
        let limit = isPaced ? 1 : slotCount
        let heads = try lane.claim(
            limit: min(limit * settings.batchCountMax, Self.claimCountMax),
            byteCountMax: Self.claimByteCountMax, now: .now(), from: session.forward)
        guard !heads.isEmpty else {
            try waitForNextDue(lane)
            return false
        }
        let forward = session.forward
        let units = try planner.plan(heads, slotCount: limit) { head, limit throws(QueueError) in
            try forward.followers(of: head, limit: limit)
        }
        for unit in units { send(unit, over: lane, isProbe: false, now: now) }
        // Fewer than might be: the bodies are large, or no more is due; the next claim tells.
        return isPaced || units.count < limit
    }

    private func sendProbe(_ lane: Lane, now: Duration) throws(QueueError) -> Bool {
        let choice = try lane.claim(
            limit: Self.probeChoiceMax, byteCountMax: Self.claimByteCountMax, now: .now(),
            from: session.forward)
        let fresh = choice.first { delivery in
            !delivery.envelope.conversations.contains { lane.breaker.probed.contains($0) }
        }
        guard let delivery = fresh ?? choice.first else {
            try waitForNextDue(lane)
            return false
        }
        lane.breaker.probeSent(conversation: delivery.envelope.conversations[0])
        send([delivery], over: lane, isProbe: true, now: now)
        lane.metrics.show(lane.breaker)
        return false
    }

    private func waitForNextDue(_ lane: Lane) throws(QueueError) {
        guard let due = try lane.nextDue(from: session.forward) else { return }
        lane.nextDispatchAt = MonotonicClock.now() + max(.zero, due.since(.now()))
    }

    private func send(_ deliveries: [Delivery], over lane: Lane, isProbe: Bool, now: Duration) {
        let ticket = nextTicket
        nextTicket += 1
        inFlight[ticket] = DispatchUnit(
            lane: lane, deliveries: deliveries, isProbe: isProbe,
            openingCount: lane.breaker.openingCount)
        lane.inFlightCount += 1
        lane.held.formUnion(deliveries.map(\.id))
        lane.limiter.started(now: now)
        let secret = maker.signingSecret(fingerprint: deliveries[0].envelope.secretFingerprint)
        client.send(
            lane.request.make(deliveries, secret: secret), limits: lane.destination.limits,
            ticket: ticket)
    }
}
