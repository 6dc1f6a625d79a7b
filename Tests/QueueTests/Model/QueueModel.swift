import Base

@testable import Queue

/// What a webhook of the model holds: numbered statuses, and numbered messages of conversations.
struct ModelWebhook: Equatable {
    var statuses: [UInt64]
    var messages: [Message]

    struct Message: Equatable {
        var key: UInt64
        var conversations: [String]
    }

    /// The body that stands in the log for it: `1,2|7:a,8:a+b`.
    var text: String {
        let left = statuses.map(String.init).joined(separator: ",")
        let right = messages.map { "\($0.key):\($0.conversations.joined(separator: "+"))" }
        return left + "|" + right.joined(separator: ",")
    }

    init(statuses: [UInt64], messages: [Message]) {
        self.statuses = statuses
        self.messages = messages
    }

    init(text: String) {
        let halves = text.split(separator: "|", omittingEmptySubsequences: false)
        statuses = halves[0].split(separator: ",").compactMap { UInt64($0) }
        messages = halves[1].split(separator: ",").map { part in
            let pieces = part.split(separator: ":")
            return Message(
                key: UInt64(pieces[0]) ?? 0,
                conversations: pieces[1].split(separator: "+").map(String.init))
        }
    }
}

/// The queue as it ought to be: lists in memory, in which each rule is one line.
struct QueueModel {
    struct Waiting: Equatable {
        var key: UInt64
        var conversations: [String]
        var dueAt: Int64
        var attempts = 0
        var replays = 0
    }

    var log: [ModelWebhook] = []
    var purgedCount = 0
    var lakeCursor = 0
    var forwardCursor = 0
    var lakeKeys: Set<UInt64> = []
    var messageKeys: Set<UInt64> = []
    /// Every status that was sealed, in order.
    var sealed: [UInt64] = []
    var shippedCount = 0
    var doubleCount = 0
    /// In the order of their turns.
    var waiting: [Waiting] = []
    var dead: [UInt64: Waiting] = [:]
    var delivered: [UInt64] = []
    var discardedCount = 0

    /// Those that stand first in all of their conversations.
    var heads: [Waiting] {
        var taken: Set<String> = []
        return waiting.filter { delivery in
            let isFirst = taken.isDisjoint(with: delivery.conversations)
            taken.formUnion(delivery.conversations)
            return isFirst
        }
    }

    func due(at now: Int64) -> Set<UInt64> {
        Set(heads.filter { $0.dueAt <= now }.map(\.key))
    }

    /// - Returns: the new statuses of the webhooks up to `end`, each once.
    mutating func readLake(to end: Int) -> [UInt64] {
        var new: [UInt64] = []
        for webhook in log[lakeCursor..<end] {
            for status in webhook.statuses {
                if lakeKeys.insert(status).inserted {
                    new.append(status)
                } else {
                    doubleCount += 1
                }
            }
        }
        sealed += new
        lakeCursor = end
        return new
    }

    mutating func readForward(to end: Int, now: Int64) {
        for webhook in log[forwardCursor..<end] {
            for message in webhook.messages where messageKeys.insert(message.key).inserted {
                waiting.append(
                    Waiting(
                        key: message.key, conversations: message.conversations, dueAt: now))
            }
        }
        forwardCursor = end
    }

    /// Takes a delivery out of the line; whoever becomes first in line is due from `now`.
    mutating func leave(_ key: UInt64, now: Int64) -> Waiting? {
        guard let index = waiting.firstIndex(where: { $0.key == key }) else { return nil }
        let before = Set(heads.map(\.key))
        let gone = waiting.remove(at: index)
        let risen = Set(heads.map(\.key)).subtracting(before)
        for index in waiting.indices where risen.contains(waiting[index].key) {
            waiting[index].dueAt = now
        }
        return gone
    }

    mutating func replay(_ key: UInt64, now: Int64) {
        guard var letter = dead.removeValue(forKey: key) else { return }
        letter.dueAt = now
        letter.attempts = 0
        letter.replays += 1
        waiting.append(letter)
    }
}
