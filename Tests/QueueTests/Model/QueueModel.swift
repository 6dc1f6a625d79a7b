import Base

@testable import Queue

/// What a webhook of the model holds: numbered statuses and messages, or bytes that are no JSON.
struct ModelWebhook: Equatable {
    var statuses: [UInt64] = []
    var messages: [Message] = []
    var isBroken = false

    struct Message: Equatable {
        var key: UInt64

        /// The conversations of a key are always the same, as an event's are.
        var conversations: [String] {
            let first = "c\(key % 5)"
            return key % 7 == 0 ? [first, "c\((key + 1) % 5)"] : [first]
        }
        var eventCount: Int { 1 + Int(key % 3) }
        /// What a route of the operator drops.
        var isDropped: Bool { key % 11 == 0 }
    }

    /// The body that stands in the log for it: `1,2|7,8`, or `!`.
    var text: String {
        if isBroken { return "!" }
        return statuses.map(String.init).joined(separator: ",") + "|"
            + messages.map { String($0.key) }.joined(separator: ",")
    }

    init(statuses: [UInt64], messages: [UInt64]) {
        self.statuses = statuses
        self.messages = messages.map { Message(key: $0) }
    }

    init(text: String) {
        let halves = text.split(separator: "|", omittingEmptySubsequences: false)
        isBroken = halves.count != 2
        guard !isBroken else { return }
        statuses = halves[0].split(separator: ",").compactMap { UInt64($0) }
        messages = halves[1].split(separator: ",").compactMap { UInt64($0) }
            .map { Message(key: $0) }
    }

    static let broken = ModelWebhook(text: "!")
}

/// The queue as it ought to be: lists in memory, in which each rule is one line.
struct QueueModel {
    struct Delivery: Equatable {
        let id: Int64
        let key: String
        let conversations: [String]
        let eventCount: Int
        var isUnparseable = false
        var dueAt: Int64 = 0
        var settledAt: Int64 = 0
        var attempts = 0
        var replays = 0
    }

    var log: [ModelWebhook] = []
    var putBackCount = 0
    var purgedCount = 0
    var lakeCursor = 0
    var forwardCursor = 0
    var lakeKeys: Set<UInt64> = []
    var messageKeys: Set<UInt64> = []
    /// Every status that was sealed, in order.
    var sealed: [UInt64] = []
    var shippedCount = 0
    var statusDoubleCount = 0
    var messageDoubleCount = 0
    var droppedCount = 0
    /// In the order of their turns.
    var waiting: [Delivery] = []
    var dead: [Delivery] = []
    /// Those that are not purged yet, in the order of their ids.
    var delivered: [Delivery] = []
    var deliveredEventCount = 0
    var discardedEventCount = 0
    private var lastDeliveryID: Int64 = 0

    mutating func nextID() -> Int64 {
        lastDeliveryID += 1
        return lastDeliveryID
    }

    /// Those that stand first in all of their conversations.
    var heads: [Delivery] {
        var taken: Set<String> = []
        return waiting.filter { delivery in
            let isFirst = taken.isDisjoint(with: delivery.conversations)
            taken.formUnion(delivery.conversations)
            return isFirst
        }
    }

    func due(at now: Int64) -> [Delivery] { heads.filter { $0.dueAt <= now } }

    /// - Returns: the new statuses of the webhooks up to `end`, each once.
    mutating func readLake(to end: Int) -> [UInt64] {
        var new: [UInt64] = []
        for webhook in log[lakeCursor..<end] {
            for status in webhook.statuses {
                if lakeKeys.insert(status).inserted {
                    new.append(status)
                } else {
                    statusDoubleCount += 1
                }
            }
        }
        sealed += new
        lakeCursor = end
        return new
    }

    mutating func readForward(to end: Int, now: Int64) {
        let webhooks = log[forwardCursor..<end]
        for message in webhooks.flatMap(\.messages) {
            if !messageKeys.insert(message.key).inserted {
                messageDoubleCount += message.eventCount
            } else if message.isDropped {
                droppedCount += message.eventCount
            } else {
                waiting.append(
                    Delivery(
                        id: nextID(), key: "\(message.key)", conversations: message.conversations,
                        eventCount: message.eventCount, dueAt: now))
            }
        }
        // Dead letters get their rows behind the deliveries of the stretch.
        for index in webhooks.indices where log[index].isBroken {
            dead.append(
                Delivery(
                    id: nextID(), key: "u\(index + 1)",
                    conversations: ["unparseable:\(index + 1)"], eventCount: 1,
                    isUnparseable: true, settledAt: now))
        }
        forwardCursor = end
    }

    /// Takes a delivery out of the line; whoever becomes first in line is due from `now`.
    mutating func leave(_ id: Int64, now: Int64) -> Delivery? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let before = Set(heads.map(\.id))
        var gone = waiting.remove(at: index)
        let risen = Set(heads.map(\.id)).subtracting(before)
        for index in waiting.indices where risen.contains(waiting[index].id) {
            waiting[index].dueAt = now
        }
        gone.settledAt = now
        return gone
    }

    mutating func deliver(_ id: Int64, now: Int64) {
        guard let gone = leave(id, now: now) else { return }
        delivered.append(gone)
        delivered.sort { $0.id < $1.id }
        deliveredEventCount += gone.eventCount
    }

    mutating func bury(_ id: Int64, now: Int64) {
        guard var gone = leave(id, now: now) else { return }
        gone.attempts += 1
        gone.isUnparseable = false
        dead.append(gone)
    }

    mutating func takeDead(_ id: Int64) -> Delivery? {
        dead.firstIndex { $0.id == id }.map { dead.remove(at: $0) }
    }

    /// A new turn at the end of its conversations.
    mutating func lineUpAgain(_ delivery: Delivery, now: Int64) {
        var again = delivery
        again.dueAt = now
        again.attempts = 0
        again.replays += 1
        waiting.append(again)
    }

    mutating func replayDelivered(from start: Int64, before end: Int64, now: Int64) {
        let again = delivered.filter { (start..<end).contains($0.settledAt) }
        delivered.removeAll { (start..<end).contains($0.settledAt) }
        for delivery in again {
            deliveredEventCount -= delivery.eventCount
            lineUpAgain(delivery, now: now)
        }
    }

    /// The oldest go first.
    mutating func purgeDelivered(before moment: Int64, limit: Int) {
        let old = delivered.filter { $0.settledAt < moment }
            .sorted { ($0.settledAt, $0.id) < ($1.settledAt, $1.id) }.prefix(limit).map(\.id)
        delivered.removeAll { old.contains($0.id) }
    }
}
