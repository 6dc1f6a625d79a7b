import Base
import TestSupport

@testable import Queue

/// The consumers' moves, and what people do.
extension QueueModelRun {
    private func key(_ number: UInt64, of webhook: StoredWebhook) -> SeenKey {
        SeenKey(
            high: 1, low: number, eventSeconds: number % 3 == 0 ? nil : 1_700_000_000,
            receivedAt: webhook.receivedAt, window: Self.window)
    }

    /// Tells doubles as the rule says: held by an earlier webhook, or met before in this batch.
    private func isDouble(
        _ key: SeenKey,
        of webhook: StoredWebhook,
        holder: WebhookID?,
        met: inout Set<SeenKey>
    ) -> Bool {
        if let holder, holder < webhook.id { return true }
        return !met.insert(key).inserted
    }

    // MARK: The lake

    mutating func readLake(count: Int, isSealed: Bool) throws {
        let session = try session(.lake)
        let webhooks = try session.log.read(
            after: session.lake.cursor(), limit: count, byteCountMax: 1_000_000)
        guard let last = webhooks.last else { return }
        var found = 0
        var new: [(SeenKey, WebhookID)] = []
        var met: Set<SeenKey> = []
        for webhook in webhooks {
            let keys = ModelWebhook(text: String(decoding: webhook.body, as: UTF8.self))
                .statuses.map { key($0, of: webhook) }
            found += keys.count
            for (key, holder) in zip(keys, try session.lake.holders(of: keys))
            where !isDouble(key, of: webhook, holder: holder, met: &met) {
                new.append((key, webhook.id))
            }
        }
        try session.lake.recordSeen(new)
        guard isSealed else { return }
        let expected = model.readLake(to: Int(last.id.rawValue))
        guard new.map(\.0.low) == expected else {
            throw Difference("sealed \(new.map(\.0.low)), expected \(expected)")
        }
        guard let first = new.first?.1 else {
            try session.lake.advance(to: last.id, foundCount: found, doubleCount: found)
            return
        }
        try session.lake.seal(
            SealedBatch(
                objectName: "o\(last.id)", sha256: "", byteCount: 1, lineCount: new.count,
                firstID: first, lastID: last.id, sealedAt: time),
            foundCount: found, doubleCount: found - new.count)
    }

    mutating func ship(limit: Int) throws {
        let session = try session(.lake)
        for batch in try session.lake.unshippedBatches(limit: limit) {
            try session.lake.markShipped(batch, at: time)
            // Shipped twice counts once.
            try session.lake.markShipped(batch, at: time)
            model.shippedCount += batch.lineCount
        }
    }

    // MARK: Forward

    mutating func readForward(count: Int, isTwice: Bool) throws {
        let session = try session(.forward)
        let webhooks = try session.log.read(
            after: session.forward.cursor(), limit: count, byteCountMax: 1_000_000)
        guard let last = webhooks.last else { return }
        let slice = try slice(of: webhooks, to: last.id)
        try session.forward.accept(slice, now: time)
        model.readForward(to: Int(last.id.rawValue), now: now)
        guard isTwice else { return }
        do throws(QueueError) {
            try session.forward.accept(slice, now: time)
        } catch {
            guard case .cursorMoved = error else { throw error }
            return
        }
        throw Difference("a second pool stored the same webhooks again")
    }

    private func slice(
        of webhooks: [StoredWebhook],
        to last: WebhookID
    ) throws -> ForwardSlice {
        let session = try session(.forward)
        var slice = ForwardSlice(cursor: last)
        var met: Set<SeenKey> = []
        for webhook in webhooks {
            let content = ModelWebhook(text: String(decoding: webhook.body, as: UTF8.self))
            if content.isBroken {
                slice.foundCount += 1
                slice.unreadable.append(
                    UnreadableWebhook(webhook: webhook, key: "u\(webhook.id)", detail: "broken"))
            }
            for message in content.messages {
                let key = key(message.key, of: webhook)
                let holder = try session.forward.holders(of: [key])[0]
                slice.foundCount += message.eventCount
                if isDouble(key, of: webhook, holder: holder, met: &met) {
                    slice.doubleCount += message.eventCount
                    continue
                }
                slice.seen.append((key, webhook.id))
                if message.isDropped {
                    slice.droppedCount += message.eventCount
                } else {
                    slice.deliveries.append(
                        newDelivery(
                            "\(message.key)", to: message.conversations,
                            events: message.eventCount))
                }
            }
        }
        return slice
    }

    mutating func settle(
        _ operation: Operation,
        _ generator: inout SeededGenerator
    ) throws {
        let session = try session(.forward)
        let due = try session.forward.claim(limit: 10, now: time, excluding: [])
            .sorted { $0.id < $1.id }
        guard !due.isEmpty else { return }
        let delivery = due[generator.below(due.count)]
        let id = delivery.id.rawValue
        func settle(_ outcome: Settlement.Outcome) throws {
            try session.forward.settle(
                [Settlement(delivery, outcome)], now: time, closedTime: .seconds(1))
        }
        switch operation {
        case .deliver:
            try settle(.delivered)
            model.deliver(id, now: now)
        case .fail:
            let later = now + Int64(generator.below(3_000))
            try settle(.retry(at: Timestamp(rawValue: later)))
            for index in model.waiting.indices where model.waiting[index].id == id {
                model.waiting[index].dueAt = later
                model.waiting[index].attempts += 1
            }
        case .settleLate:
            // Given up and replayed while its request was under way: the late verdict is void.
            try settle(.dead(.refused(status: 400)))
            model.bury(id, now: now)
            try replay(id)
            try settle(.delivered)
        default:
            try settle(.dead(.refused(status: 400)))
            model.bury(id, now: now)
        }
    }

    // MARK: People

    private mutating func replay(_ id: Int64) throws {
        _ = try session(.tool).deadLetters.replay(
            [DeliveryID(rawValue: id)], by: Self.actor, now: time)
        if let letter = model.takeDead(id) { model.lineUpAgain(letter, now: now) }
    }

    mutating func decide(_ operation: Operation, _ generator: inout SeededGenerator) throws {
        guard !model.dead.isEmpty else { return }
        let letter = model.dead[generator.below(model.dead.count)]
        let id = DeliveryID(rawValue: letter.id)
        let letters = try session(.tool).deadLetters
        switch operation {
        case .discard:
            let ids = [id, id, DeliveryID(rawValue: 999_999)]
            let count = try letters.discard(ids, because: nil, by: Self.actor, now: time)
            guard count == 1 else { throw Difference("\(count) discarded instead of one") }
            if model.takeDead(letter.id) != nil { model.discardedEventCount += letter.eventCount }
        case .reread:
            let webhook = try letters.appendAgain(id, by: Self.actor, now: time)
            guard (webhook != nil) == letter.isUnparseable else {
                throw Difference("reading \(letter.key) again gave \(String(describing: webhook))")
            }
            guard letter.isUnparseable, model.takeDead(letter.id) != nil else { return }
            model.log.append(.broken)
            model.putBackCount += 1
        default: try replay(letter.id)
        }
    }

    mutating func replayDelivered(_ generator: inout SeededGenerator) throws {
        let start = now - Int64(generator.below(3_000))
        let end = min(now, start + Int64(generator.below(3_000)))
        let range = Timestamp(rawValue: start)..<Timestamp(rawValue: end)
        var cursor: DeliveryID? = DeliveryID.none
        while let after = cursor {
            cursor = try session(.tool).forward.replayDelivered(
                range, after: after, by: Self.actor, now: time
            ).next
        }
        model.replayDelivered(from: start, before: end, now: now)
    }

    mutating func takeIn(key: String, _ generator: inout SeededGenerator) throws {
        let conversation = "c\(generator.below(5))"
        let events = 1 + generator.below(3)
        let delivery = newDelivery(key, to: [conversation], events: events)
        try session(.tool).deadLetters.takeIn(
            [
                DeadLetterCopy(
                    envelope: delivery.envelope, reason: "refused", status: 400, diedAt: time,
                    attemptTotal: 3, replayCount: 1, attempts: [], body: delivery.body)
            ], by: Self.actor, now: time)
        model.dead.append(
            .init(
                id: model.nextID(), key: key, conversations: [conversation], eventCount: events,
                settledAt: now, replays: 1))
    }

    mutating func purge(limit: Int) throws {
        let upkeep = try session(.upkeep).upkeep
        model.purgedCount += try upkeep.purgeLog(limit: limit)
        _ = try upkeep.purgeDelivered(before: time - .seconds(2), limit: limit)
        model.purgeDelivered(before: now - 2_000, limit: limit)
        _ = try upkeep.purgeShipped(before: time - .seconds(2), limit: limit)
        _ = try upkeep.expireSeen(window: Self.window, now: time, limit: limit)
    }
}
