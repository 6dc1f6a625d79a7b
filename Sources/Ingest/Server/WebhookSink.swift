import Base
import Foundation
import Queue

/// Where the loop's webhooks go: the queue, behind its gate; in tests, whatever fails as needed.
struct WebhookSink {
    /// Takes the gate where nobody holds it; never blocks.
    var tryLock: () -> Bool
    /// Takes the gate, whenever that may be; called by a thread of its own.
    var lock: @Sendable () -> Void
    /// Gives the gate up.
    var unlock: () -> Void
    /// Stores a group, all of it or none; the gate is held.
    var append: ([PendingWebhook]) throws(QueueError) -> Void
    /// Whether ``relieve`` has something to do; asked after each group, without the gate.
    var needsRelief: () -> Bool
    /// What is due once a group has its answers: a checkpoint, a longer WAL; the gate is held.
    var relieve: () throws(QueueError) -> Void
    /// Why no webhook may be taken now, if so; asked a few times a second.
    var closed: () -> Refusal?
}

/// Waits for the gate, so that the loop never does.
///
/// One thread, asleep until the loop finds the gate held. A stopped program that holds the gate
/// then stops this thread, and nothing else.
final class GateWaiter: Sendable {
    private let request: WakeUp
    /// Readable when the gate is ours.
    let granted: WakeUp

    init() throws(SystemError) {
        request = try WakeUp()
        granted = try WakeUp()
    }

    /// Starts the thread; it lives as long as the process.
    func start(lock: @escaping @Sendable () -> Void) {
        let thread = Thread { [request, granted] in
            while true {
                guard request.wait(timeout: nil) else { continue }
                lock()
                granted.signal()
            }
        }
        thread.name = "ingest-gate"
        thread.start()
    }

    /// Asks for the gate; answered by `granted`, once.
    func ask() { request.signal() }
}
