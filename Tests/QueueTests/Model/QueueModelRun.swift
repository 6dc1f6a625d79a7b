import Base
import TestSupport

@testable import Queue

/// Both sides of the comparison, and the clock that drives them.
///
/// Each program has a session and a gate of its own, as it has in life.
struct QueueModelRun {
    enum Result {
        case agreed(settledCount: Int)
        case differed(index: Int, String)
    }

    var model = QueueModel()
    let queue: QueueFixture
    private var sessions: [Role: QueueSession] = [:]
    var now: Int64 = 1_700_000_000_000
    private var nextKey: UInt64 = 1

    enum Role: CaseIterable {
        case ingest, lake, forward, upkeep, tool
    }

    static let window = Duration.seconds(86_400)
    static let actor = Actor(systemUser: "model")

    /// Plays moves on a new queue until the two sides differ.
    static func play(_ moves: [Move]) -> Result {
        var index = 0
        do {
            var run = try QueueModelRun()
            for move in moves {
                try run.perform(move)
                if let difference = try run.difference() {
                    return .differed(index: index, "after \(move): \(difference)")
                }
                index += 1
            }
            return .agreed(
                settledCount: run.model.deliveredEventCount + run.model.dead.count)
        } catch {
            return .differed(index: index, "\(error)")
        }
    }

    private init() throws {
        queue = try QueueFixture()
        try reopen()
    }

    private mutating func reopen() throws {
        sessions = [:]
        for role in Role.allCases {
            let sessionRole: QueueSession.Role =
                switch role {
                case .ingest: .ingest
                case .lake: .lake
                case .forward: .forward
                case .upkeep: .upkeep
                case .tool: .tool
                }
            let gate = try QueueSession.openGate(queue.location, as: sessionRole)
            sessions[role] = try QueueSession.open(queue.location, gate: gate, as: sessionRole)
        }
    }

    func session(_ role: Role) throws -> QueueSession {
        guard let session = sessions[role] else { throw Difference("no session") }
        return session
    }

    var time: Timestamp { Timestamp(rawValue: now) }

    private mutating func perform(_ move: Move) throws {
        now += 1
        var generator = SeededGenerator(seed: move.seed)
        switch move.operation {
        case .append: try append((0..<generator.below(4)).map { _ in webhook(&generator) })
        case .appendAgain:
            let recent = model.log.suffix(20)
            guard !recent.isEmpty else { return }
            try append([recent[recent.startIndex + generator.below(recent.count)]])
        case .appendBroken: try append([.broken])
        case .readLake: try readLake(count: 1 + generator.below(6), isSealed: true)
        case .crashBeforeSeal:
            try readLake(count: 1 + generator.below(6), isSealed: false)
            try reopen()
        case .ship: try ship(limit: 1 + generator.below(3))
        case .readForward: try readForward(count: 1 + generator.below(6), isTwice: false)
        case .readTwice: try readForward(count: 1 + generator.below(6), isTwice: true)
        case .deliver, .fail, .bury, .settleLate: try settle(move.operation, &generator)
        case .replay, .discard, .reread: try decide(move.operation, &generator)
        case .replayDelivered: try replayDelivered(&generator)
        case .takeIn: try takeIn(key: "i\(move.seed)", &generator)
        case .purge: try purge(limit: 1 + generator.below(5))
        case .reopen: try reopen()
        case .checkpoint:
            try session(.upkeep).checkpoint(generator.below(2) == 0 ? .restart : .truncate)
        case .passTime: now += Int64(generator.below(2_000))
        }
    }

    // MARK: ingest

    private mutating func webhook(_ generator: inout SeededGenerator) -> ModelWebhook {
        var keys: [UInt64] = []
        for _ in 0..<generator.below(6) {
            // One in five is a double of something that may have come before.
            if generator.below(5) == 0, nextKey > 1 {
                keys.append(nextKey - 1 - UInt64(generator.below(Int(min(nextKey - 1, 40)))))
            } else {
                keys.append(nextKey)
                nextKey += 1
            }
        }
        let cut = generator.below(keys.count + 1)
        return ModelWebhook(statuses: Array(keys[..<cut]), messages: Array(keys[cut...]))
    }

    private mutating func append(_ webhooks: [ModelWebhook]) throws {
        guard !webhooks.isEmpty else { return }
        try session(.ingest).append(webhooks.map(\.text), receivedAt: time)
        model.log += webhooks
    }

    // MARK: Comparison

    /// - Returns: what differs, or `nil` where both sides agree.
    private func difference() throws -> String? {
        let session = try session(.tool)
        let books = try session.books()
        func events(_ deliveries: [QueueModel.Delivery]) -> Int {
            deliveries.reduce(0) { $0 + $1.eventCount }
        }
        let facts: [(String, Int, Int)] = [
            ("appended", books.appendedCount, model.log.count),
            ("acknowledged", books.acknowledgedCount, model.log.count - model.putBackCount),
            ("read by the lake", books.lake.readCount, model.lakeCursor),
            ("read by forward", books.forward.readCount, model.forwardCursor),
            ("waiting for the lake", books.lake.waitingCount, model.log.count - model.lakeCursor),
            ("status doubles", books.count(.lakeDoubles), model.statusDoubleCount),
            ("sealed ever", books.count(.lakeSealed), model.sealed.count),
            ("sealed", books.sealedCount, model.sealed.count - model.shippedCount),
            ("message doubles", books.count(.forwardDoubles), model.messageDoubleCount),
            ("dropped", books.count(.dropped), model.droppedCount),
            ("waiting", books.count(.waiting), events(model.waiting)),
            ("waiting deliveries", books.count(.waitingDeliveries), model.waiting.count),
            ("dead", books.count(.dead), events(model.dead)),
            ("dead letters", books.count(.deadLetters), model.dead.count),
            ("delivered", books.count(.delivered), model.deliveredEventCount),
            ("discarded", books.count(.discarded), model.discardedEventCount),
        ]
        for (name, found, expected) in facts where found != expected {
            return "\(name) is \(found), expected \(expected)"
        }
        guard books.balances else { return "books: \(books.differences)" }
        return try dueDifference() ?? rowDifference(session)
    }

    private func dueDifference() throws -> String? {
        let due = try session(.forward).forward.claim(limit: 1_000_000, now: time, excluding: [])
            .sorted { $0.id < $1.id }
        let expected = model.due(at: now).sorted { $0.id < $1.id }
        guard due.map(\.id.rawValue) == expected.map(\.id) else {
            return "due are \(due.map(\.id)), expected \(expected.map(\.id))"
        }
        for (delivery, twin) in zip(due, expected)
        where delivery.attemptCount != twin.attempts || delivery.replayCount != twin.replays
            || delivery.envelope.key != twin.key || delivery.envelope.eventCount != twin.eventCount
        {
            return "delivery \(delivery.id) is another one, or has another budget"
        }
        return nil
    }

    private func rowDifference(_ session: QueueSession) throws -> String? {
        let stored = try session.statistics().storedCount
        guard stored == model.log.count - model.purgedCount else {
            return "stored are \(stored), expected \(model.log.count - model.purgedCount)"
        }
        let dead = try session.deadLetters.list(limit: 1_000_000).map(\.id.rawValue)
        let expected = model.dead.map(\.id).sorted()
        guard dead == expected else { return "dead are \(dead), expected \(expected)" }
        let kept = try session.forward.deliveredCount(
            Timestamp(rawValue: 0)..<Timestamp(rawValue: now + 1))
        guard kept == model.delivered.count else {
            return "kept as delivered are \(kept), expected \(model.delivered.count)"
        }
        return nil
    }
}

/// A difference that shows before the step is over.
struct Difference: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
