import Base
import Foundation
import Queue
import Synchronization
import TestSupport
import Testing
import WhatsApp

@testable import Workers

/// Order and at-least-once, with the real program, a real queue and real sockets.
///
/// Against a receiver that fails, stalls, lies and dies, a worker that is killed, and a person who
/// replays.
@Suite struct ForwardOrderTests {
    @Test func `order within a conversation and at least once hold whatever happens`() throws {
        var generator = SeededGenerator.announced("forward order")
        let roundCount = EnvironmentNumber.read("FORWARD_ROUNDS", otherwise: 5)
        let receiver = HostileReceiver(seed: generator.next())
        let fixture = try ForwardFixture { receiver.reply(to: $0) }
        var sender = Sender()
        for round in 1...roundCount {
            receiver.setMood(HostileReceiver.Mood.allCases.randomElement(using: &generator) ?? .bad)
            let worker = try start(fixture, &generator, round: round)
            let target = receiver.acceptedCount + Int.random(in: 5...60, using: &generator)
            for _ in 0..<Int.random(in: 5...60, using: &generator) {
                try fixture.append(sender.nextBody(using: &generator))
            }
            waitUntil(within: .seconds(2)) { receiver.acceptedCount >= target }
            try act(on: fixture, &generator)
            worker.kill()
        }
        try heal(fixture, receiver, sender, &generator)
        receiver.expectOrder(of: sender.sent, secret: fixture.secret)
        let statistics = try fixture.session.statistics()
        #expect(statistics.balances)
        #expect(statistics.count(.waiting) == 0 && statistics.count(.dead) == 0)
        print(
            "forward order: \(sender.sent.values.joined().count) messages, "
                + "\(receiver.requestCount) requests, \(roundCount) kills")
    }

    /// The program with settings of chance.
    private func start(
        _ fixture: ForwardFixture, _ generator: inout SeededGenerator, round: Int
    ) throws -> ChildProcess {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(fileURLWithPath: bundle).deletingLastPathComponent()
            .appendingPathComponent("workers").path
        let environment = [
            "QUEUE_PATH": fixture.location.path,
            "WHATSAPP_APP_SECRET": "test-secret",
            "FORWARD_URL": fixture.receiver.url,
            "FORWARD_CONCURRENCY": "\(Int.random(in: 1...8, using: &generator))",
            "FORWARD_BATCH_MAX": "\([1, 1, 3, 10].randomElement(using: &generator) ?? 1)",
            "FORWARD_TIMEOUT": "400ms",
            "FORWARD_ATTEMPTS_MAX": "10000",
            "FORWARD_REFUSALS_MAX": "2",
            "FORWARD_BACKOFF_MIN": "10ms",
            "FORWARD_BACKOFF_MAX": "60ms",
            "WORKERS_ADMIN_LISTEN": "127.0.0.1:0",
            "LOG_LEVEL": "warning",
        ]
        return try ChildProcess(
            program, ["--pool", "forward"], environment: environment,
            outputPath: fixture.directory.file("workers.log"))
    }

    /// A person replays some dead letters, or what was delivered a while ago.
    private func act(
        on fixture: ForwardFixture, _ generator: inout SeededGenerator
    ) throws {
        let actor = Actor(systemUser: "test")
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            let letters = try fixture.session.deadLetters.list(DeadLetterFilter(), limit: 3)
            _ = try fixture.session.deadLetters.replay(letters.map(\.id), by: actor, now: .now())
        case 1:
            let now = Timestamp.now()
            let range = now - .milliseconds(Int64.random(in: 1...500, using: &generator))..<now
            _ = try fixture.session.forward.replayDelivered(
                range, after: .none, by: actor, now: now)
        default: break
        }
    }

    /// Everything is well again: what waits goes out, and what was refused is replayed.
    private func heal(
        _ fixture: ForwardFixture, _ receiver: HostileReceiver, _ sender: Sender,
        _ generator: inout SeededGenerator
    ) throws {
        receiver.setMood(.good)
        let worker = try start(fixture, &generator, round: 0)
        let isDrained = try waitUntil(within: .seconds(120)) {
            let statistics = try fixture.session.statistics()
            if statistics.count(.dead) > 0 {
                let letters = try fixture.session.deadLetters.list(DeadLetterFilter(), limit: 99)
                _ = try fixture.session.deadLetters.replay(
                    letters.map(\.id), by: Actor(systemUser: "test"), now: .now())
            }
            return statistics.forward.lag == 0 && statistics.count(.waiting) == 0
                && statistics.count(.dead) == 0
        }
        #expect(isDrained, "\(worker.output)")
        #expect(worker.stop() == .exited(status: 0))
    }
}

/// Makes webhooks and remembers what was sent in which conversation.
private struct Sender {
    /// By sender: the ids of its messages, in order.
    private(set) var sent: [String: [String]] = [:]

    mutating func nextBody(using generator: inout SeededGenerator) -> String {
        let count = [1, 1, 1, 2, 3].randomElement(using: &generator) ?? 1
        let messages = (0..<count).map { _ in
            let sender = "c\(Int.random(in: 0..<10, using: &generator))"
            // Alone in its webhook: a poisoned delivery takes its other messages with it.
            let isPoison = count == 1 && Int.random(in: 0..<25, using: &generator) == 0
            let number = sent[sender, default: []].count
            let id = "m-\(sender)-\(number)" + (isPoison ? "-poison" : "")
            sent[sender, default: []].append(id)
            return (from: sender, id: id)
        }
        return ForwardFixture.body(messages: messages, statuses: count == 2 ? ["s"] : [])
    }
}

/// A receiver with moods, which keeps what it has met.
private final class HostileReceiver: Sendable {
    enum Mood: CaseIterable, Sendable {
        /// Accepts everything.
        case good
        /// Accepts most, refuses the poisoned.
        case moody
        /// Accepts few.
        case bad
        /// Accepts nothing.
        case down
    }

    struct Meeting: Sendable {
        let request: TestReceiver.Request
        let isAccepted: Bool
    }

    private struct State {
        var generator: SeededGenerator
        var mood = Mood.good
        var meetings: [Meeting] = []
        var acceptedCount = 0
    }

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(generator: SeededGenerator(seed: seed))) }

    var acceptedCount: Int { state.withLock { $0.acceptedCount } }
    var requestCount: Int { state.withLock { $0.meetings.count } }

    func setMood(_ mood: Mood) { state.withLock { $0.mood = mood } }

    func reply(to request: TestReceiver.Request) -> TestReceiver.Reply {
        let (reply, isSlow) = state.withLock { state -> (TestReceiver.Reply, Bool) in
            let reply = Self.choose(request, &state)
            var isAccepted = false
            if case .status(200, _, _) = reply { isAccepted = true }
            state.meetings.append(Meeting(request: request, isAccepted: isAccepted))
            if isAccepted { state.acceptedCount += request.messageIDs.count }
            return (reply, Int.random(in: 0..<8, using: &state.generator) == 0)
        }
        if isSlow { waitUntil(within: .milliseconds(30)) { false } }
        return reply
    }

    private static func choose(
        _ request: TestReceiver.Request, _ state: inout State
    ) -> TestReceiver.Reply {
        let isReplayed = request.headers["x-delivery-replay"] != nil
        if request.text.contains("-poison"), !(isReplayed && state.mood == .good) {
            return .status(422, body: "poison")
        }
        let chance = Int.random(in: 0..<100, using: &state.generator)
        switch state.mood {
        case .good: return .status(200)
        case .moody where chance < 80: return .status(200)
        case .bad where chance < 25: return .status(200)
        case .moody, .bad, .down: break
        }
        switch Int.random(in: 0..<7, using: &state.generator) {
        case 0: return .hangUp
        case 1: return .silence
        case 2: return .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
        case 3: return .raw("<html>")
        case 4: return .status(503, headers: ["Retry-After": "0"])
        case 5: return .status(429, headers: ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"])
        default: return .status(500)
        }
    }

    /// Looks back at all that came.
    func expectOrder(of sent: [String: [String]], secret: AppSecret) {
        let meetings = state.withLock { $0.meetings }
        let numbers = Dictionary(
            uniqueKeysWithValues: sent.values.flatMap { ids in
                ids.enumerated().map { ($1, $0) }
            })
        var accepted: Set<String> = []
        var heads: [String: Int] = [:]
        for meeting in meetings {
            let request = meeting.request
            let signatures = SignatureVerifier.sign(body: request.body, secret: secret)
            #expect(request.headers["x-hub-signature-256"] == signatures.signature256)
            let ids = (request.headers["x-delivery-id"] ?? "").split(separator: ",").count
            #expect(ids == request.text.components(separatedBy: #""changes":"#).count - 1)
            if request.headers["x-delivery-replay"] == nil {
                expectTurn(request, sent, numbers, accepted: accepted, heads: &heads)
            }
            if meeting.isAccepted { accepted.formUnion(request.messageIDs) }
        }
        #expect(accepted == Set(sent.values.joined()), "each message was accepted at least once")
    }

    /// Before a message comes for the first time, all before it in its conversation were accepted,
    /// refused for good, or stand before it in the same POST; and nobody goes back.
    private func expectTurn(
        _ request: TestReceiver.Request, _ sent: [String: [String]], _ numbers: [String: Int],
        accepted: Set<String>, heads: inout [String: Int]
    ) {
        var inThisPost: [String: Int] = [:]
        for id in request.messageIDs {
            let sender = String(id.split(separator: "-")[1])
            guard let number = numbers[id], let all = sent[sender] else {
                Issue.record("\(id) was never sent")
                continue
            }
            if let before = inThisPost[sender] {
                #expect(number > before, "\(id) stands behind its successor")
            } else {
                #expect(number >= heads[sender, default: 0], "\(id) came after its successor")
                heads[sender] = number
            }
            for earlier in all[..<number]
            where !accepted.contains(earlier) && !earlier.hasSuffix("-poison") {
                #expect(request.messageIDs.contains(earlier), "\(id) overtook \(earlier)")
            }
            inThisPost[sender] = number
        }
    }
}
