import Base
import Foundation
import Queue
import TestSupport
import WhatsApp

@testable import Workers

/// A queue, a receiver and a forward pool of one test's own.
final class ForwardFixture {
    let directory: TemporaryDirectory
    let location: QueueLocation
    let gate: Gate
    let session: QueueSession
    let registry = MetricsRegistry()
    let secret = AppSecret(Secret(bytes: Array("test-secret".utf8)))
    let receiver: TestReceiver
    var settings: ForwardSettings
    private var worker: ForwardWorker?

    init(reply: @escaping @Sendable (TestReceiver.Request) -> TestReceiver.Reply) throws {
        ProxyExemption.add(host: "127.0.0.1")
        directory = try TemporaryDirectory()
        location = QueueLocation(path: directory.file("queue.db"))
        gate = try QueueSession.openGate(location, as: .ingest)
        session = try QueueSession.open(location, gate: gate, as: .ingest)
        receiver = try TestReceiver(reply: reply)
        settings = ForwardSettings(
            url: receiver.url, concurrencyMax: 8, answerDurationMax: .seconds(30),
            connectDurationMax: .seconds(10), ratePerSecondMax: 0,
            policy: ForwardPolicy(
                attemptsMax: 50, refusalsMax: 3, ageMax: .seconds(3_600),
                backoff: Backoff(delayMin: .milliseconds(20), delayMax: .milliseconds(200))),
            batchCountMax: 1, batchBytesMax: 1 << 20,
            splitter: WebhookSplitter(split: .conversation, forwardedStatuses: []),
            headers: [], secrets: [secret], dedupWindow: .seconds(86_400))
    }

    deinit { stop(within: .zero) }

    func makeWorker() throws -> ForwardWorker {
        try ForwardWorker(
            location: location, gate: gate, settings: settings, log: .disabled,
            metrics: registry, onFailure: { _ in })
    }

    func start() throws {
        let worker = try makeWorker()
        worker.start()
        self.worker = worker
    }

    func stop(within limit: Duration = .seconds(5)) {
        worker?.stop(within: limit)
        worker = nil
    }

    /// Appends a webhook as ingest does.
    func append(_ body: String) throws {
        let signatures = SignatureVerifier.sign(body: Array(body.utf8), secret: secret)
        var fields = [body, signatures.signature256, signatures.signature1]
        fields += ["facebookexternalua", "application/json", "203.0.113.7", secret.fingerprint]
        let bytes = fields.flatMap { Array($0.utf8) }
        try bytes.withUnsafeBytes { all in
            var offset = 0
            let parts = fields.map { field in
                defer { offset += field.utf8.count }
                return UnsafeRawBufferPointer(rebasing: all[offset..<offset + field.utf8.count])
            }
            gate.lock()
            defer { gate.unlock() }

            try session.log.appendHoldingGate([
                PendingWebhook(
                    receivedAt: .now(), body: parts[0], signature256: parts[1],
                    signature1: parts[2], userAgent: parts[3], contentType: parts[4],
                    remoteAddress: parts[5], secretFingerprint: parts[6])
            ])
        }
    }

    /// A webhook with messages of one or several senders, and statuses beside them.
    static func body(messages: [(from: String, id: String)], statuses: [String] = []) -> String {
        let time = Timestamp.now().seconds
        let texts = messages.map { message in
            #"{"from":"\#(message.from)","id":"\#(message.id)","timestamp":"\#(time)","#
                + #""type":"text","text":{"body":"h\u00e9"}}"#
        }
        let receipts = statuses.map {
            #"{"id":"\#($0)","status":"sent","timestamp":"\#(time)","recipient_id":"9"}"#
        }
        var value = #""messaging_product":"whatsapp","metadata":{"phone_number_id":"42"}"#
        if !texts.isEmpty { value += #","messages":[\#(texts.joined(separator: ","))]"# }
        if !receipts.isEmpty { value += #","statuses":[\#(receipts.joined(separator: ","))]"# }
        return #"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":["#
            + #"{"value":{\#(value)},"field":"messages"}]}]}"#
    }

    func append(from sender: String, _ id: String) throws {
        try append(Self.body(messages: [(sender, id)]))
    }

    /// How many deliveries the queue counts as accepted by the receiver.
    func deliveredCount() throws -> Int { try session.statistics().count(.delivered) }

    func deadCount() throws -> Int { try session.statistics().count(.deadLetters) }

    /// Waits until so many events were delivered.
    func waitForDelivered(_ count: Int) throws -> Bool {
        try waitUntil { try deliveredCount() >= count }
    }
}

extension TestReceiver.Request {
    /// The ids of the messages in the body, in order; tests give ids that begin with `m-`.
    var messageIDs: [String] {
        text.components(separatedBy: #""id":"m-"#).dropFirst().map { piece in
            "m-" + piece.prefix { $0 != "\"" }
        }
    }

    var sender: String {
        text.components(separatedBy: #""from":""#).dropFirst().first.map { piece in
            String(piece.prefix { $0 != "\"" })
        } ?? ""
    }
}
