import Foundation
import Synchronization
import TestSupport

/// Several senders at once, each with conversations of its own, each sending the next webhook when
/// the last one is acknowledged; as long as it is not, the same one again, as WhatsApp does.
///
/// So the order within a conversation is the order of its numbers, and what was acknowledged is
/// known to the byte.
final class LoadDriver: Sendable {
    /// A sender's two conversations.
    static func conversations(of sender: Int) -> [String] {
        ["49157\(sender)00001", "49157\(sender)00002"]
    }

    struct Acknowledged {
        /// Identifiers of messages, in the order in which each conversation's were sent.
        var messages: [String: [String]] = [:]
        var statuses: [String] = []
        var webhookCount = 0
    }

    private struct State {
        var acknowledged = Acknowledged()
        var webhookCountMax = 0
        var isStopping = false
        var runningCount = 0
        var failure: String?
    }

    private let port: UInt16
    private let state = Mutex(State())

    init(port: UInt16) { self.port = port }

    var acknowledged: Acknowledged { state.withLock { $0.acknowledged } }
    /// Why a sender gave up, where one did.
    var failure: String? { state.withLock { $0.failure } }

    /// Starts so many senders; nothing is sent before `allow`.
    func start(senderCount: Int) {
        state.withLock { $0.runningCount = senderCount }
        for number in 0..<senderCount {
            let thread = Thread { [self] in
                run(number)
                state.withLock { $0.runningCount -= 1 }
            }
            thread.name = "sender-\(number)"
            thread.start()
        }
    }

    /// Lets the senders go on until so many webhooks are acknowledged in all.
    func allow(upTo count: Int) { state.withLock { $0.webhookCountMax = count } }

    /// Waits until every sender's last webhook is acknowledged.
    func stop() {
        state.withLock { $0.isStopping = true }
        waitUntil(within: .seconds(150)) { state.withLock { $0.runningCount == 0 } }
    }

    private func run(_ number: Int) {
        let sender = WhatsAppSender(port: port)
        var step = 0
        while waitForTurn() {
            step += 1
            let webhook = Self.webhook(step, of: number)
            // Some come twice: WhatsApp resends what it did not see acknowledged in time.
            for _ in 0..<(step % 5 == 0 ? 2 : 1) {
                guard sender.postUntilAcknowledged(webhook.body) else {
                    fail("sender \(number), step \(step): no acknowledgement")
                    return
                }
            }
            state.withLock { state in
                state.acknowledged.webhookCount += 1
                state.acknowledged.statuses += webhook.statuses
                for (conversation, id) in webhook.messages {
                    state.acknowledged.messages[conversation, default: []].append(id)
                }
            }
        }
    }

    private func fail(_ reason: String) { state.withLock { $0.failure = reason } }

    /// - Returns: false where this sender is done.
    private func waitForTurn() -> Bool {
        var isDone = false
        waitUntil(within: .seconds(600)) {
            state.withLock {
                isDone = $0.isStopping
                return isDone || $0.acknowledged.webhookCount < $0.webhookCountMax
            }
        }
        return !isDone
    }

    private struct Load {
        let body: [UInt8]
        var messages: [(conversation: String, id: String)] = []
        var statuses: [String] = []
    }

    /// Statuses, messages, both in one body, and two conversations in one body, by turns.
    private static func webhook(_ step: Int, of sender: Int) -> Load {
        let conversations = conversations(of: sender)
        let statuses = (0..<(step % 3 + 1)).map { "wamid.S-\(sender)-\(step)-\($0)" }
        let ids = conversations.map { "wamid.M-\($0)-\(step)" }
        switch step % 4 {
        case 0:
            return Load(
                body: Webhook.value(members(statuses: statuses, messages: [])), statuses: statuses)
        case 1:
            let body = Webhook.text("step \(step)", from: conversations[0], id: ids[0])
            return Load(body: body, messages: [(conversations[0], ids[0])])
        case 2:
            let messages = [(conversations[0], ids[0])]
            return Load(
                body: Webhook.value(members(statuses: statuses, messages: messages)),
                messages: messages, statuses: statuses)
        default:
            let messages = Array(zip(conversations, ids))
            return Load(
                body: Webhook.value(members(statuses: [], messages: messages)), messages: messages)
        }
    }

    private static func members(
        statuses: [String],
        messages: [(conversation: String, id: String)]
    ) -> String {
        let statusTexts = statuses.map {
            #"{"id":"\#($0)","status":"sent","timestamp":"1763930000","recipient_id":"1"}"#
        }
        let messageTexts = messages.map {
            #"{"from":"\#($0.conversation)","id":"\#($0.id)","timestamp":"1763930001","#
                + #""type":"text","text":{"body":"load"}}"#
        }
        var members: [String] = []
        if !statuses.isEmpty {
            members.append(#""statuses":[\#(statusTexts.joined(separator: ","))]"#)
        }
        if !messages.isEmpty {
            members.append(#""messages":[\#(messageTexts.joined(separator: ","))]"#)
        }
        return members.joined(separator: ",")
    }
}
