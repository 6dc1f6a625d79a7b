import Base
import Foundation
import Queue
import TestSupport

@testable import pipelinectl

/// A queue of one test's own, and pipelinectl run on it inside this process.
final class CommandRig {
    /// What one run came to.
    struct Outcome {
        let code: Int32
        let output: String
        let error: String

        /// The output as JSON, read by another hand than the one that wrote it.
        func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            guard let object = value as? [String: Any] else {
                throw CocoaError(.propertyListReadCorrupt)
            }
            return object
        }

        /// The members of `items`.
        func items() throws -> [[String: Any]] { try json()["items"] as? [[String: Any]] ?? [] }
    }

    /// 2026-11-24T12:00:00Z.
    static let now = Timestamp(rawValue: 1_795_521_600_000)

    let directory: TemporaryDirectory
    let location: QueueLocation
    let session: QueueSession
    private let gate: Gate
    var environment: [String: String]
    private var lastWebhook: Int64 = 0

    init() throws {
        directory = try TemporaryDirectory()
        location = QueueLocation(path: directory.file("queue.db"))
        gate = try QueueSession.openGate(location, as: .ingest)
        session = try QueueSession.open(location, gate: gate, as: .ingest)
        environment = [
            "QUEUE_PATH": location.path, "WHATSAPP_APP_SECRET": "test-secret",
            "SUDO_USER": "operator",
            // Where nothing listens: reserved, and never given out by the kernel.
            "WORKERS_ADMIN_LISTEN": "127.0.0.1:1", "INGEST_ADMIN_LISTEN": "127.0.0.1:1",
        ]
    }

    func run(_ arguments: String..., reader: Console.Reader = .program) -> Outcome {
        run(arguments, reader: reader)
    }

    func run(_ arguments: [String], reader: Console.Reader = .program) -> Outcome {
        Self.run(arguments, environment: environment, reader: reader)
    }

    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        reader: Console.Reader = .program
    ) -> Outcome {
        var output: [UInt8] = []
        var error: [UInt8] = []
        let console = Console(
            reader: reader,
            output: {
                output += $0
                return true
            },
            error: {
                error += $0
                return true
            })
        let program = Program(environment: environment, console: console, now: { now })
        let code = program.run(arguments)
        return Outcome(
            code: code, output: String(decoding: output, as: UTF8.self),
            error: String(decoding: error, as: UTF8.self))
    }

    // MARK: Filling the queue

    /// What a made-up delivery is like.
    struct Letter {
        var conversation = "1:491511"
        var field = "messages"
        var phoneNumberID = "1"
        var body = Array(#"{"entry":[]}"#.utf8)
        var reason = DeadReason.refused(status: 400)
        var diedAt = CommandRig.now - .seconds(3_600)
        var answer = Array("no".utf8)
    }

    /// Appends a webhook to the log and passes both consumers by it.
    @discardableResult
    func append(_ body: [UInt8]) throws -> WebhookID {
        gate.lock()
        defer { gate.unlock() }

        let texts = [body] + ["sha256=00", "1a2b3c4d", "127.0.0.1"].map { Array($0.utf8) }
        let copies = texts.map { text in
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, text.count), alignment: 1)
            copy.copyBytes(from: text)
            return UnsafeRawBufferPointer(rebasing: copy.prefix(text.count))
        }
        defer { for copy in copies { copy.deallocate() } }

        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        try session.log.appendHoldingGate([
            PendingWebhook(
                receivedAt: Self.now - .seconds(7_200), body: copies[0], signature256: copies[1],
                signature1: none, userAgent: none, contentType: none, remoteAddress: copies[3],
                secretFingerprint: copies[2])
        ])
        return try session.log.lastID()
    }

    /// Makes one delivery that waits.
    func deliver(_ letter: Letter = Letter()) throws {
        let webhook = try append(letter.body)
        var slice = ForwardSlice(cursor: webhook)
        slice.deliveries = [
            NewDelivery(
                envelope: DeliveryEnvelope(
                    key: "key-\(webhook)", webhook: webhook, part: 0,
                    receivedAt: Self.now - .seconds(7_200), conversations: [letter.conversation],
                    field: letter.field, phoneNumberID: letter.phoneNumberID, eventCount: 1,
                    isCut: false, signature256: "sha256=00", signature1: "sha1=00",
                    secretFingerprint: "1a2b3c4d", userAgent: "facebookexternalua",
                    contentType: "application/json", remoteAddress: "127.0.0.1"),
                body: letter.body)
        ]
        slice.foundCount = 1
        try session.forward.accept(slice, now: Self.now - .seconds(7_200))
    }

    /// Settles the delivery that is due, as the forward pool does.
    func settle(_ outcome: Settlement.Outcome, _ letter: Letter = Letter()) throws {
        let due = try session.forward.claim(limit: 1, now: Self.now, excluding: [])
        guard let delivery = due.first else { throw CocoaError(.featureUnsupported) }
        let attempt = Attempt(
            number: delivery.attemptTotal + 1, startedAt: letter.diedAt - .seconds(1),
            duration: .milliseconds(12), result: "answered", status: letter.reason.status,
            answer: letter.answer, isSpent: true)
        let settlement = Settlement(
            delivery: delivery, attempt: attempt, outcome: outcome, isRefusal: true)
        try session.forward.settle([settlement], now: letter.diedAt, closedTime: .zero)
    }

    /// Makes one dead letter; ids count from 1 in the order of the calls.
    func bury(_ letter: Letter = Letter()) throws {
        try deliver(letter)
        try settle(.dead(letter.reason), letter)
    }

    /// Makes one dead letter of bytes that no release could read when they came.
    func buryUnparseable(_ body: String) throws {
        let webhook = try append(Array(body.utf8))
        guard let stored = try session.log.webhook(webhook) else {
            throw CocoaError(.featureUnsupported)
        }
        var slice = ForwardSlice(cursor: webhook)
        slice.unreadable = [
            UnreadableWebhook(webhook: stored, key: "key-\(webhook)", detail: "not JSON")
        ]
        slice.foundCount = 1
        try session.forward.accept(slice, now: Self.now - .seconds(3_600))
    }

    func statistics() throws -> QueueStatistics { try session.statistics() }
}
