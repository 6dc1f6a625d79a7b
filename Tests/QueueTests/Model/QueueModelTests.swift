import Base
import TestSupport
import Testing

@testable import Queue

/// Random operations on a real queue and on lists in memory, compared after every step.
///
/// `QUEUE_MODEL_STEPS` sets how many (10 million for the long run, see docs/RELIABILITY.md). Since
/// each step is checked, the step that fails ends the shortest failing prefix of its seed.
@Suite struct QueueModelTests {
    @Test func `the queue does what lists in memory would do`() throws {
        let steps = EnvironmentNumber.read("QUEUE_MODEL_STEPS", otherwise: 2_000)
        var generator = SeededGenerator.announced("queue model, \(steps) steps")
        var run = try QueueModelRun()
        for step in 1...steps {
            let operation = Operation.allCases.randomElement(using: &generator) ?? .append
            try run.perform(operation, using: &generator)
            guard let difference = try run.difference() else { continue }
            Issue.record(
                "seed \(generator.seed), step \(step), after \(operation): \(difference)")
            return
        }
        #expect(run.model.delivered.count + run.model.dead.count > 0, "nothing was exercised")
    }
}

enum Operation: CaseIterable {
    case append, appendAgain, readLake, crashBeforeSeal, ship, readForward, deliver, fail, bury
    case replay, discard, purge, reopen, checkpoint, passTime
}

/// Both sides of the comparison, and the clock that drives them.
struct QueueModelRun {
    var model = QueueModel()
    private let queue: QueueFixture
    private var session: QueueSession
    private var now: Int64 = 1_700_000_000_000
    private var nextKey: UInt64 = 1

    private static let window = Duration.seconds(86_400)

    init() throws {
        queue = try QueueFixture()
        session = try queue.open(.lake)
    }

    private var time: Timestamp { Timestamp(rawValue: now) }

    mutating func perform(
        _ operation: Operation,
        using generator: inout SeededGenerator
    ) throws {
        now += 1
        switch operation {
        case .append: try append((0..<generator.below(4)).map { _ in webhook(&generator) })
        case .appendAgain: try append(model.log.suffix(20).randomElement(using: &generator))
        case .readLake: try readLake(count: generator.below(6), isSealed: true)
        case .crashBeforeSeal:
            try readLake(count: generator.below(6), isSealed: false)
            try reopen()
        case .ship: try ship()
        case .readForward: try readForward(count: generator.below(6))
        case .deliver, .fail, .bury: try settle(operation, using: &generator)
        case .replay: try replay(model.dead.keys.randomElement(using: &generator))
        case .discard: try discard(model.dead.keys.randomElement(using: &generator))
        case .purge: try purge(limit: 1 + generator.below(5))
        case .reopen: try reopen()
        case .checkpoint: try session.checkpoint(generator.below(2) == 0 ? .restart : .truncate)
        case .passTime: now += Int64(generator.below(2_000))
        }
    }

    // MARK: Operations

    private mutating func webhook(_ generator: inout SeededGenerator) -> ModelWebhook {
        func known(_ generator: inout SeededGenerator) -> UInt64 {
            UInt64(generator.below(Int(min(nextKey, 40))) + 1)
        }
        var keys: [UInt64] = []
        for _ in 0..<generator.below(6) {
            // One in five is a double of something that may have come before.
            if generator.below(5) == 0 {
                keys.append(nextKey > 40 ? nextKey - known(&generator) : known(&generator))
            } else {
                keys.append(nextKey)
                nextKey += 1
            }
        }
        let cut = generator.below(keys.count + 1)
        return ModelWebhook(
            statuses: Array(keys[..<cut]),
            messages: keys[cut...].map { key in
                // The conversations of a key are always the same, as an event's are.
                let first = "c\(key % 5)"
                return .init(
                    key: key, conversations: key % 7 == 0 ? [first, "c\((key + 1) % 5)"] : [first])
            })
    }

    private mutating func append(_ webhooks: [ModelWebhook]) throws {
        guard !webhooks.isEmpty else { return }
        try session.append(webhooks.map(\.text), receivedAt: time)
        model.log += webhooks
    }

    private mutating func append(_ webhook: ModelWebhook?) throws {
        if let webhook { try append([webhook]) }
    }

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

    private mutating func readLake(count: Int, isSealed: Bool) throws {
        let webhooks = try session.log.read(
            after: session.lake.cursor(), limit: max(count, 1), byteCountMax: 1_000_000)
        guard count > 0, let last = webhooks.last else { return }
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

    private mutating func ship() throws {
        for batch in try session.lake.unshippedBatches(limit: 2) {
            try session.lake.markShipped(batch, at: time)
            model.shippedCount += batch.lineCount
        }
    }

    private mutating func readForward(count: Int) throws {
        let webhooks = try session.log.read(
            after: session.forward.cursor(), limit: max(count, 1), byteCountMax: 1_000_000)
        guard count > 0, let last = webhooks.last else { return }
        var slice = ForwardSlice(cursor: last.id)
        var met: Set<SeenKey> = []
        for webhook in webhooks {
            let messages = ModelWebhook(text: String(decoding: webhook.body, as: UTF8.self))
                .messages
            for message in messages {
                let key = key(message.key, of: webhook)
                let holder = try session.forward.holders(of: [key])[0]
                slice.foundCount += 1
                if isDouble(key, of: webhook, holder: holder, met: &met) {
                    slice.doubleCount += 1
                } else {
                    slice.seen.append((key, webhook.id))
                    slice.deliveries.append(
                        newDelivery("\(message.key)", to: message.conversations))
                }
            }
        }
        try session.forward.accept(slice, now: time)
        model.readForward(to: Int(last.id.rawValue), now: now)
    }

    private mutating func settle(
        _ operation: Operation,
        using generator: inout SeededGenerator
    ) throws {
        let due = try session.forward.claim(limit: 10, now: time, excluding: [])
        guard let delivery = due.randomElement(using: &generator) else { return }
        let key = UInt64(delivery.envelope.key) ?? 0
        let outcome: Settlement.Outcome
        switch operation {
        case .deliver:
            outcome = .delivered
            if let gone = model.leave(key, now: now) { model.delivered.append(gone.key) }
        case .bury:
            outcome = .dead(.refused(status: 400))
            if var gone = model.leave(key, now: now) {
                gone.attempts += 1
                model.dead[key] = gone
            }
        default:
            let later = now + Int64(generator.below(3_000))
            outcome = .retry(at: Timestamp(rawValue: later))
            for index in model.waiting.indices where model.waiting[index].key == key {
                model.waiting[index].dueAt = later
                model.waiting[index].attempts += 1
            }
        }
        try session.forward.settle(
            [Settlement(delivery, outcome)], now: time, closedTime: .seconds(1))
    }

    private func id(of key: UInt64) throws -> DeliveryID? {
        try session.deadLetters.list(limit: 1_000_000).first { $0.envelope.key == "\(key)" }?.id
    }

    private mutating func replay(_ key: UInt64?) throws {
        guard let key, let id = try id(of: key) else { return }
        _ = try session.deadLetters.replay([id], by: Actor(systemUser: "model"), now: time)
        model.replay(key, now: now)
    }

    private mutating func discard(_ key: UInt64?) throws {
        guard let key, let id = try id(of: key) else { return }
        _ = try session.deadLetters.discard(
            [id], because: nil, by: Actor(systemUser: "model"), now: time)
        model.dead[key] = nil
        model.discardedCount += 1
    }

    private mutating func purge(limit: Int) throws {
        model.purgedCount += try session.upkeep.purgeLog(limit: limit)
        _ = try session.upkeep.purgeDelivered(before: time - .seconds(2), limit: limit)
        _ = try session.upkeep.purgeShipped(before: time - .seconds(2), limit: limit)
        _ = try session.upkeep.expireSeen(window: Self.window, now: time, limit: limit)
    }

    private mutating func reopen() throws { session = try queue.open(.lake) }

    // MARK: Comparison

    /// - Returns: what differs, or `nil` where both sides agree.
    func difference() throws -> String? {
        let statistics = try session.statistics()
        let due = try session.forward.claim(limit: 1_000_000, now: time, excluding: [])
        let facts: [(String, Int, Int)] = [
            ("last id", Int(statistics.lastID.rawValue), model.log.count),
            ("stored", statistics.storedCount, model.log.count - model.purgedCount),
            ("lake cursor", Int(statistics.lake.cursor.rawValue), model.lakeCursor),
            ("forward cursor", Int(statistics.forward.cursor.rawValue), model.forwardCursor),
            ("doubles", statistics.count(.lakeDoubles), model.doubleCount),
            ("sealed", statistics.count(.lakeSealed), model.sealed.count),
            ("shipped", statistics.count(.lakeShipped), model.shippedCount),
            ("waiting", statistics.count(.waitingDeliveries), model.waiting.count),
            ("dead", statistics.count(.deadLetters), model.dead.count),
            ("delivered", statistics.count(.delivered), model.delivered.count),
            ("discarded", statistics.count(.discarded), model.discardedCount),
        ]
        for (name, found, expected) in facts where found != expected {
            return "\(name) is \(found), expected \(expected)"
        }
        guard statistics.balances else { return "the books do not balance" }
        let keys = Set(due.compactMap { UInt64($0.envelope.key) })
        guard keys == model.due(at: now) else {
            return "due are \(keys.sorted()), expected \(model.due(at: now).sorted())"
        }
        for delivery in due {
            let twin = model.waiting.first { "\($0.key)" == delivery.envelope.key }
            guard twin?.attempts == delivery.attemptCount, twin?.replays == delivery.replayCount
            else { return "delivery \(delivery.envelope.key) has another budget" }
        }
        return nil
    }
}

/// A difference that shows before the step is over.
struct Difference: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension SeededGenerator {
    /// A number from 0 up to, not including, `bound`; 0 where `bound` is not positive.
    mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int(next() % UInt64(bound)) : 0
    }
}
