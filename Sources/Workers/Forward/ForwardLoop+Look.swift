import Base
import Queue
import WhatsApp

extension ForwardLoop {
    /// Reads one slice of the log and stores what is made of it.
    func look(now: Duration) throws(QueueError) {
        let webhooks = try session.log.read(
            after: cursor, limit: sliceCount, byteCountMax: Self.sliceByteCountMax)
        let byteCount = webhooks.reduce(0) { $0 + $1.body.count }
        hasMoreToRead = webhooks.count == sliceCount || byteCount >= Self.sliceByteCountMax / 2
        nextLookAt = hasMoreToRead ? now : now + Self.lookInterval
        guard let last = webhooks.last else {
            // The watcher was armed before this look: whatever comes now ends the wait.
            nextLookAt = now
            if let unstored, now - unstored.since >= Self.cursorAgeMax { try storeLead() }
            return
        }
        let forward = session.forward
        let slice = try maker.make(webhooks) { keys throws(QueueError) in
            try forward.holders(of: keys)
        }
        try take(slice, webhookCount: webhooks.count, now: now)
        cursor = last.id
    }

    private func take(
        _ slice: ForwardSlice, webhookCount: Int, now: Duration
    ) throws(QueueError) {
        var lead = unstored ?? UnstoredLead(since: now, slice: ForwardSlice(cursor: slice.cursor))
        lead.webhookCount += webhookCount
        lead.slice.append(slice)
        let isIdle = slice.deliveries.isEmpty && slice.unreadable.isEmpty && slice.seen.isEmpty
        if isIdle, lead.webhookCount < Self.cursorLeadMax, now - lead.since < Self.cursorAgeMax {
            unstored = lead
            return
        }
        try store(lead.slice)
        unstored = nil
    }

    private func store(_ slice: ForwardSlice) throws(QueueError) {
        let start = MonotonicClock.now()
        try session.forward.accept(slice, now: .now())
        let duration = MonotonicClock.now() - start
        if duration > Self.sliceDuration {
            sliceCount = max(sliceCount / 2, 10)
        } else if duration < Self.sliceDuration / 2 {
            sliceCount = min(sliceCount * 2, Self.sliceCountMax)
        }
        trace(slice)
        metrics.accepted.add(slice.deliveries.count)
        metrics.doubles.add(slice.doubleCount)
        metrics.unparseable.add(slice.unreadable.count)
        for letter in slice.unreadable {
            log.warning(
                "webhook cannot be read and is a dead letter now",
                [
                    "webhook": .int(Int(letter.webhook.id.rawValue)),
                    "reason": .string(letter.detail),
                ])
        }
    }

    /// What became of which webhook: its events by their keys, and the deliveries they went into.
    private func trace(_ slice: ForwardSlice) {
        guard log.isEnabled(.debug) else { return }
        for (key, webhook) in slice.seen {
            log.debug(
                "event read for PHP",
                ["webhook": .int(Int(webhook.rawValue)), "event": .string(EventKey(key).hex)])
        }
        for delivery in slice.deliveries {
            log.debug(
                "delivery made",
                [
                    "webhook": .int(Int(delivery.envelope.webhook.rawValue)),
                    "part": .int(delivery.envelope.part),
                    "delivery_id": .string(delivery.envelope.key),
                    "events": .int(delivery.envelope.eventCount),
                ])
        }
    }

    /// Stores the cursor over what had nothing for PHP.
    func storeLead() throws(QueueError) {
        guard let lead = unstored else { return }
        try store(lead.slice)
        unstored = nil
    }
}

extension ForwardSlice {
    /// Goes on with the stretch that follows.
    mutating func append(_ next: ForwardSlice) {
        cursor = next.cursor
        deliveries += next.deliveries
        unreadable += next.unreadable
        seen += next.seen
        foundCount += next.foundCount
        doubleCount += next.doubleCount
        droppedCount += next.droppedCount
        emptyCount += next.emptyCount
    }
}

extension EventKey {
    /// The key that the queue holds.
    init(_ key: SeenKey) { self.init(high: key.high, low: key.low) }
}
