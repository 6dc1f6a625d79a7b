import Foundation
import Testing

@testable import WhatsApp

/// Bodies in WhatsApp's form, put together from the parts a test cares about.
enum WebhookFixture {
    static let metadata =
        #""messaging_product":"whatsapp","metadata":{"display_phone_number":"15550001111","#
        + #""phone_number_id":"1010"}"#

    /// A webhook of one account with these changes.
    static func webhook(_ changes: String...) -> String {
        #"{"object":"whatsapp_business_account","entry":["# + entry(changes) + "]}"
    }

    /// One element of `entry`.
    static func entry(_ changes: [String], id: String = "7007") -> String {
        #"{"id":"\#(id)","changes":[\#(changes.joined(separator: ","))]}"#
    }

    /// A change of `messages` whose value has the usual context and these members.
    static func change(_ members: String..., field: String = "messages") -> String {
        let value = ([metadata] + members).joined(separator: ",")
        return #"{"value":{\#(value)},"field":"\#(field)"}"#
    }

    static func statuses(_ elements: String...) -> String {
        #""statuses":[\#(elements.joined(separator: ","))]"#
    }

    static func messages(_ elements: String...) -> String {
        #""messages":[\#(elements.joined(separator: ","))]"#
    }

    static func contacts(_ elements: String...) -> String {
        #""contacts":[\#(elements.joined(separator: ","))]"#
    }

    static func status(
        _ name: String = "delivered", id: String = "wamid.S1", to recipient: String = "4911"
    ) -> String {
        #"{"id":"\#(id)","status":"\#(name)","timestamp":"1764000000","#
            + #""recipient_id":"\#(recipient)"}"#
    }

    static func message(_ id: String = "wamid.M1", from sender: String = "4911") -> String {
        #"{"from":"\#(sender)","id":"\#(id)","timestamp":"1764000000","type":"text","#
            + #""text":{"body":"gr\u00fc\u00df \/ dich"}}"#
    }

    static func contact(_ waID: String, userID: String? = nil) -> String {
        let user = userID.map { #","user_id":"\#($0)""# } ?? ""
        return #"{"profile":{"name":"N"},"wa_id":"\#(waID)"\#(user)}"#
    }
}

/// How a test wants a body split.
func split(
    _ body: String, _ mode: SplitMode = .conversation, forwarding: Set<String> = [],
    dropping: Set<EventKey>? = nil
) throws -> SplitWebhook {
    try split(Array(body.utf8), mode, forwarding: forwarding, dropping: dropping)
}

func split(
    _ body: [UInt8], _ mode: SplitMode = .conversation, forwarding: Set<String> = [],
    dropping: Set<EventKey>? = nil
) throws -> SplitWebhook {
    let splitter = WebhookSplitter(split: mode, forwardedStatuses: forwarding)
    let result = dropping.map { splitter.split(body, dropping: $0) } ?? splitter.split(body)
    switch result {
    case .events(let webhook): return webhook
    case .unparseable(let reason): throw reason
    }
}

/// Why a body is refused; nil where it is not.
func refusal(of body: String) -> UnparseableReason? {
    let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])
    switch splitter.split(Array(body.utf8)) {
    case .events: return nil
    case .unparseable(let reason): return reason
    }
}

extension Part {
    /// The bytes as text; `whole` stands for the webhook's own.
    var text: String {
        switch bytes {
        case .whole: "whole"
        case .cut(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// The value that JSON text stands for, by a parser that is not ours.
func parsed(_ bytes: some Collection<UInt8>) throws -> NSObject {
    let value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    return try #require(value as? NSObject)
}
