import Base
import Glibc
import TestSupport

@testable import Queue

/// A queue of one test's own, in its own directory.
final class QueueFixture {
    let directory: TemporaryDirectory
    let location: QueueLocation
    let gate: Gate

    init() throws {
        directory = try TemporaryDirectory()
        location = QueueLocation(path: directory.file("queue.db"))
        gate = try QueueSession.openGate(location, as: .ingest)
    }

    func open(_ role: QueueSession.Role = .ingest) throws -> QueueSession {
        try QueueSession.open(location, gate: gate, as: role)
    }
}

extension QueueSession {
    /// Appends webhooks with these bodies, as ingest does: under the gate, in one transaction.
    func append(
        _ bodies: [String],
        receivedAt: Timestamp = Timestamp(rawValue: 1_700_000_000_000)
    ) throws(QueueError) {
        connection.gate.lock()
        defer { connection.gate.unlock() }

        let buffers = (bodies + ["sha256=00", "secret", "127.0.0.1"]).map { text in
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(text.utf8.count, 1), alignment: 1)
            copy.copyBytes(from: Array(text.utf8))
            return UnsafeRawBufferPointer(rebasing: copy.prefix(text.utf8.count))
        }
        defer {
            for buffer in buffers {
                buffer.baseAddress.map { free(UnsafeMutableRawPointer(mutating: $0)) }
            }
        }

        let count = bodies.count
        try log.appendHoldingGate(
            buffers.prefix(count).map { body in
                PendingWebhook(
                    receivedAt: receivedAt, body: body, signature256: buffers[count],
                    signature1: UnsafeRawBufferPointer(start: nil, count: 0),
                    userAgent: UnsafeRawBufferPointer(start: nil, count: 0),
                    contentType: UnsafeRawBufferPointer(start: nil, count: 0),
                    remoteAddress: buffers[count + 2], secretFingerprint: buffers[count + 1])
            })
    }

    /// Changes what no method of ours changes.
    func change(_ sql: String) throws(QueueError) {
        try connection.write { () throws(QueueError) in
            try connection.execute(SQL(text: sql))
        }
    }

    /// The bodies of everything that stands in the log, as text.
    func bodies() throws(QueueError) -> [String] {
        try log.read(after: .none, limit: 1_000_000, byteCountMax: .max).map {
            String(decoding: $0.body, as: UTF8.self)
        }
    }
}

/// A delivery for one conversation, its key and body both `name`.
func newDelivery(
    _ name: String,
    to conversations: [String],
    webhook: Int64 = 1,
    events: Int = 1
) -> NewDelivery {
    NewDelivery(
        envelope: DeliveryEnvelope(
            key: name, webhook: WebhookID(rawValue: webhook), part: 0,
            receivedAt: Timestamp(rawValue: 1_700_000_000_000), conversations: conversations,
            field: "messages", phoneNumberID: "1", eventCount: events, isCut: false,
            signature256: "sha256=00", signature1: nil, secretFingerprint: "secret",
            userAgent: nil, contentType: "application/json", remoteAddress: "127.0.0.1"),
        body: Array(name.utf8))
}

extension ForwardSlice {
    /// A stretch that ends at `cursor` and gave these deliveries.
    init(to cursor: Int64, _ deliveries: [NewDelivery]) {
        self.init(cursor: WebhookID(rawValue: cursor))
        self.deliveries = deliveries
        foundCount = deliveries.reduce(0) { $0 + $1.envelope.eventCount }
    }
}

extension Settlement {
    /// A verdict on the next attempt of `delivery`.
    init(_ delivery: Delivery, _ outcome: Outcome, status: Int = 500, isSpent: Bool = true) {
        self.init(
            delivery: delivery,
            attempt: Attempt(
                number: delivery.attemptTotal + 1, startedAt: Timestamp(rawValue: 1),
                duration: .milliseconds(3), result: "answered", status: status,
                answer: Array("no".utf8), isSpent: isSpent),
            outcome: outcome, isRefusal: false)
    }
}
