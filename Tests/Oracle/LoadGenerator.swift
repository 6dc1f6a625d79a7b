import Base
import Foundation
import Synchronization
import TestSupport
import WhatsApp

/// Several senders at once, each step signed as WhatsApp signs it.
///
/// What is not acknowledged is sent again, mostly until it is; now and then a sender gives up a
/// step that failed, so that there are webhooks that nobody acknowledged. Some steps come twice
/// even though they were acknowledged.
public final class LoadGenerator: Sendable {
    /// The app secret of every oracle run.
    public static let secret = "a secret of the oracle"

    private struct State {
        var budget = 0
        var isStopping = false
        var isAbandoned = false
        var runningCount = 0
    }

    private let port: UInt16
    private let ledger: Ledger
    private let seed: UInt64
    private let state = Mutex(State())

    /// Prepares senders for ingest on `port`; nothing is sent before ``allow(_:)``.
    public init(port: UInt16, ledger: Ledger, seed: UInt64) {
        self.port = port
        self.ledger = ledger
        self.seed = seed
    }

    /// Starts so many senders, a thread and a connection each.
    public func start(senderCount: Int) {
        state.withLock { $0.runningCount = senderCount }
        for number in 1...senderCount {
            let thread = Thread { [self] in
                run(number)
                state.withLock { $0.runningCount -= 1 }
            }
            thread.name = "sender-\(number)"
            thread.start()
        }
    }

    /// Lets the senders take so many steps more.
    public func allow(_ count: Int) { state.withLock { $0.budget += count } }

    /// Takes back what was allowed and not begun.
    public func hold() { state.withLock { $0.budget = 0 } }

    /// Waits until every sender has ended its step.
    ///
    /// - Returns: whether they all have.
    public func stop() -> Bool {
        state.withLock { $0.isStopping = true }
        return waitUntil(within: .seconds(180)) { state.withLock { $0.runningCount == 0 } }
    }

    /// Lets every sender go wherever it is.
    public func abandon() {
        state.withLock { $0.isAbandoned = true }
        _ = stop()
    }

    private func run(_ number: Int) {
        var generator = SeededGenerator(seed: seed &+ UInt64(number) &* 0x9E37)
        let poster = Poster(port: port)
        var step = 0
        while waitForTurn() {
            step += 1
            let load = Load(sender: number, step: step)
            ledger.willSend(load)
            send(load, by: poster, mayAbandon: generator.next() % 6 == 0)
            // WhatsApp resends what it did not see acknowledged in time.
            if generator.next() % 5 == 0 { ledger.answered(poster.post(load.body)) }
        }
    }

    private func send(_ load: Load, by poster: Poster, mayAbandon: Bool) {
        var isAcknowledged = false
        var isAbandoned = false
        waitUntil(within: .seconds(170)) {
            let status = poster.post(load.body)
            ledger.answered(status)
            isAcknowledged = status == 200
            isAbandoned = !isAcknowledged && mayAbandon
            return isAcknowledged || isAbandoned || state.withLock { $0.isAbandoned }
        }
        if isAcknowledged {
            ledger.acknowledged(load)
        } else {
            ledger.abandoned(load)
            if !isAbandoned { ledger.violate("no acknowledgement for minutes: \(load.events[0])") }
        }
    }

    /// - Returns: false where this sender is done.
    private func waitForTurn() -> Bool {
        var isDone = false
        waitUntil(within: .seconds(100_000)) {
            state.withLock { state in
                isDone = state.isStopping
                if isDone { return true }
                guard state.budget > 0 else { return false }
                state.budget -= 1
                return true
            }
        }
        return !isDone
    }
}

/// Posts signed webhooks over a connection that is kept as long as it lasts.
final class Poster {
    private let port: UInt16
    private let secret = AppSecret(Secret(bytes: Array(LoadGenerator.secret.utf8)))
    private var connection: BlockingHTTPClient?

    init(port: UInt16) { self.port = port }

    /// - Returns: the answer's status, or `nil` where none came.
    func post(_ body: [UInt8]) -> Int? {
        let signatures = SignatureVerifier.sign(body: body, secret: secret)
        let fields = [
            ("User-Agent", "facebookexternalua"), ("Content-Type", "application/json"),
            ("X-Hub-Signature", signatures.signature1),
            ("X-Hub-Signature-256", signatures.signature256),
        ]
        do {
            let client = try connection ?? BlockingHTTPClient(port: port, timeout: .seconds(15))
            connection = client
            return try client.send("POST", "/webhook", fields: fields, body: body).status
        } catch {
            connection = nil
            return nil
        }
    }
}
