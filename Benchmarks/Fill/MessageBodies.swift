import Base
import Queue

/// Bodies of one message each, five to a conversation, in memory that is used again for each group.
///
/// Every twentieth conversation is one that the benchmark's receiver fails: its sender begins with
/// `bad`.
final class MessageBodies {
    private static let conversationMessageCount = 5
    private let fields: [[UInt8]] = [
        "sha256=" + String(repeating: "0", count: 64), "facebookexternalua", "application/json",
        "127.0.0.1", "00000000",
    ].map { Array($0.utf8) }
    // Owned; the bodies of one group, one behind the other, and the fields behind them.
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)
    private let conversationCount: Int
    private let seconds = Timestamp.now().seconds
    private var number = 0

    /// - Parameter count: of all messages that will be asked for.
    init(count: Int) { conversationCount = max(1, count / Self.conversationMessageCount) }

    deinit { memory.deallocate() }

    /// The next webhooks; valid until the next call.
    func next(count: Int) -> [PendingWebhook] {
        let parts = (0..<count).map { body(number + $0) } + fields
        number += count
        memory.deallocate()
        memory = .allocate(byteCount: parts.reduce(0) { $0 + $1.count }, alignment: 16)
        var offset = 0
        let placed = parts.map { part in
            let place = UnsafeMutableRawBufferPointer(
                rebasing: memory[offset..<offset + part.count])
            place.copyBytes(from: part)
            offset += part.count
            return UnsafeRawBufferPointer(place)
        }
        let now = Timestamp.now()
        return placed.prefix(count).map { body in
            PendingWebhook(
                receivedAt: now, body: body, signature256: placed[count],
                signature1: UnsafeRawBufferPointer(start: nil, count: 0),
                userAgent: placed[count + 1], contentType: placed[count + 2],
                remoteAddress: placed[count + 3], secretFingerprint: placed[count + 4])
        }
    }

    private func body(_ number: Int) -> [UInt8] {
        let conversation = number % conversationCount
        let digits = String(10_000_000_000 + conversation).dropFirst()
        let sender = (conversation % 20 == 0 ? "bad" : "491") + digits
        return Array(
            (#"{"object":"whatsapp_business_account","entry":[{"id":"800100200300401","#
                + #""changes":[{"value":{"messaging_product":"whatsapp","metadata":{"#
                + #""display_phone_number":"4930555001","phone_number_id":"700100200300401"},"#
                + #""contacts":[{"profile":{"name":"Test"},"wa_id":"\#(sender)"}],"messages":[{"#
                + #""from":"\#(sender)","id":"wamid.HBgNNDkxNTU1MDAwMDAwMRUCABEFILL\#(number)==","#
                + #""timestamp":"\#(seconds)","type":"text","text":{"body":"When will it come, "#
                + #"please?"}}]},"field":"messages"}]}]}"#).utf8)
    }
}
