import Base
import Dispatch
import Foundation
import Queue
import Synchronization
import TestSupport
import WhatsApp

@testable import Ingest

/// A running server of one test's own, whose sink the test decides over.
final class ServerFixture: Sendable {
    /// What the sink does; changed while the server runs.
    struct SinkState {
        var bodies: [[UInt8]] = []
        var addresses: [String] = []
        var failure: QueueError?
        var closed: Refusal?
        var gateIsHeld = false
    }

    static let secret = AppSecret(Secret(bytes: Array("test secret".utf8)))
    static let token = "a token"

    let port: UInt16
    let registry = MetricsRegistry()
    private let state: SharedSink
    private let stopRequest: WakeUp
    private let wasAsked = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    init(
        limits: (inout ServerLimits) -> Void = { _ in },
        requestLimits: (inout HTTPLimits) -> Void = { _ in }
    ) throws {
        var serverLimits = ServerLimits()
        serverLimits.connectionsMax = 200
        serverLimits.stopDuration = .milliseconds(200)
        limits(&serverLimits)
        var httpLimits = HTTPLimits()
        requestLimits(&httpLimits)
        let listener = try Listener(ListenAddress(host: "127.0.0.1", port: 0), environment: [:])
        port = listener.port
        state = SharedSink()
        stopRequest = try WakeUp()
        let setUp = ServerSetUp(
            limits: serverLimits, requestLimits: httpLimits, path: "/webhook",
            verifyToken: Secret(bytes: Array(Self.token.utf8)), secrets: [Self.secret],
            proxies: TrustedProxies("127.0.0.0/8") ?? TrustedProxies(), listener: listener)
        let loop = try ServerLoop(
            setUp, sink: state.sink, stops: StopSignals(stopRequest),
            metrics: ServerMetrics(registry, secrets: [Self.secret]), log: .disabled)
        // The loop is made here and used by its thread alone from now on.
        let box = LoopBox(loop: loop)
        let thread = Thread { [ended] in
            try? box.loop.run()
            ended.signal()
        }
        thread.start()
    }

    deinit { stop() }

    /// Asks the server to stop, as SIGTERM does, and waits until it has.
    func stop() {
        askToStop()
        ended.wait()
        ended.signal()
    }

    /// Asks the server to stop, once: a second time would end the process, as a second signal does.
    func askToStop() {
        if !wasAsked.exchange(true, ordering: .relaxed) { stopRequest.signal() }
    }

    /// What was stored so far, in order.
    var bodies: [String] {
        state.value.withLock { $0.bodies.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Whom the stored webhooks came from.
    var addresses: [String] { state.value.withLock { $0.addresses } }

    func set(_ change: (inout SinkState) -> Void) {
        let isFree = state.value.withLock { state -> Bool in
            change(&state)
            return !state.gateIsHeld
        }
        if isFree { state.gateFreed.signal() }
    }

    /// The head and body of a webhook that is signed as WhatsApp signs it.
    static func webhook(_ body: String, fields: String = "", signature: String? = nil) -> String {
        let signed = SignatureVerifier.sign(body: Array(body.utf8), secret: secret).signature256
        return "POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n"
            + "X-Hub-Signature-256: \(signature ?? signed)\r\n\(fields)\r\n\(body)"
    }

    /// Sends text on a connection of its own and reads one answer.
    func answer(to text: String) throws -> BlockingHTTPClient.Answer {
        let client = try BlockingHTTPClient(port: port)
        try client.write(Array(text.utf8))
        return try client.readAnswer()
    }

    private struct LoopBox: @unchecked Sendable {
        // Handed to one thread before it starts, and never touched by another.
        let loop: ServerLoop
    }
}

/// The sink's state, shared by the test and the server's threads.
final class SharedSink: Sendable {
    let value = Mutex(ServerFixture.SinkState())
    let gateFreed = DispatchSemaphore(value: 0)

    var sink: WebhookSink {
        WebhookSink(
            tryLock: { [self] in value.withLock { !$0.gateIsHeld } },
            lock: { [self] in while value.withLock({ $0.gateIsHeld }) { gateFreed.wait() } },
            unlock: {},
            append: { [self] webhooks throws(QueueError) in
                let bodies = webhooks.map { [UInt8]($0.body) }
                let addresses = webhooks.map { String(decoding: $0.remoteAddress, as: UTF8.self) }
                let failure = value.withLock { state -> QueueError? in
                    guard state.failure == nil else { return state.failure }
                    state.bodies += bodies
                    state.addresses += addresses
                    return nil
                }
                if let failure { throw failure }
            },
            needsRelief: { false },
            relieve: {},
            closed: { [self] in value.withLock { $0.closed } })
    }
}
