import Foundation

/// A body of Tests/Fixtures/webhooks and what must become of it.
struct Fixture: Sendable {
    /// What PHP gets of it.
    enum Forwarded: Equatable, Sendable {
        case nothing
        /// The very bytes that came.
        case whole
        /// So many bodies, each signed anew.
        case cut(Int)
    }

    let name: String
    let body: [UInt8]
    /// Lines in the lake.
    let statusCount: Int
    let forwarded: Forwarded

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// Every file of the folder is named here, and nothing else; a test says so.
    private static let expected: [(name: String, statusCount: Int, forwarded: Forwarded)] = [
        ("account_update", 0, .whole),
        ("button_reply", 0, .whole),
        ("call_connect", 0, .whole),
        ("call_status", 0, .whole),
        ("contacts", 0, .whole),
        ("document", 0, .whole),
        ("escaped_unicode", 0, .whole),
        ("flow_reply", 0, .whole),
        ("group_receipts", 3, .nothing),
        ("group_text", 0, .whole),
        ("half_character_message", 0, .whole),
        ("half_character_status", 1, .nothing),
        ("image", 0, .whole),
        ("list_reply", 0, .whole),
        ("location", 0, .whole),
        ("message_errors", 0, .whole),
        ("mixed_changes", 1, .cut(1)),
        ("mixed_entries", 1, .cut(2)),
        ("mixed_status_and_message", 2, .cut(1)),
        ("mixed_two_conversations", 0, .cut(2)),
        ("no_event", 0, .nothing),
        ("other_object", 0, .whole),
        ("reaction", 0, .whole),
        ("standby_statuses", 0, .whole),
        ("status_delivered", 1, .nothing),
        ("status_failed", 1, .nothing),
        ("status_odd_types", 1, .nothing),
        ("status_sent", 1, .nothing),
        ("statuses_no_array", 0, .whole),
        ("template_status", 0, .whole),
        ("text", 0, .whole),
        ("text_by_user_id", 0, .whole),
        ("text_with_referral", 0, .whole),
        ("two_messages_one_conversation", 0, .whole),
        ("unknown_field", 0, .whole),
        ("voice", 0, .whole),
        ("whitespace", 2, .cut(1)),
    ]

    static func files() throws -> [Fixture] {
        try expected.map {
            let url = folder.appendingPathComponent("webhooks/\($0.name).json")
            let body = [UInt8](try Data(contentsOf: url))
            return Fixture(
                name: $0.name, body: body, statusCount: $0.statusCount, forwarded: $0.forwarded)
        }
    }

    /// As many as WhatsApp puts into one POST at most.
    static func thousandStatuses() -> Fixture {
        let statuses = (0..<1_000).map {
            """
            {"id":"wamid.THOUSAND\($0)==","status":"delivered","timestamp":"1763920000",\
            "recipient_id":"49155600\($0)"}
            """
        }
        let body = Webhook.value(#""statuses":[\#(statuses.joined(separator: ","))]"#)
        return Fixture(
            name: "thousand statuses", body: body, statusCount: 1_000, forwarded: .nothing)
    }

    /// As long as WhatsApp sends them.
    static func threeMegabytes() -> Fixture {
        let text = String(repeating: #"na\u00efve \/ "#, count: 3_000_000 / 14)
        let body = Webhook.text(text, from: "4915550000009", id: "wamid.LONG==")
        return Fixture(name: "three megabytes", body: body, statusCount: 0, forwarded: .whole)
    }
}

/// Bodies made for a test, in the form WhatsApp sends.
enum Webhook {
    static func value(_ members: String) -> [UInt8] {
        Array(
            (#"{"object":"whatsapp_business_account","entry":[{"id":"800100200300401","changes":["#
                + #"{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"#
                + #""4930555001","phone_number_id":"700100200300401"},"#
                + members + #"},"field":"messages"}]}]}"#).utf8)
    }

    /// A message; `text` is the inside of a JSON string.
    static func text(_ text: String, from sender: String, id: String) -> [UInt8] {
        value(
            #""contacts":[{"profile":{"name":"Test"},"wa_id":"\#(sender)"}],"messages":["#
                + #"{"from":"\#(sender)","id":"\#(id)","timestamp":"1763920001","type":"text","#
                + #""text":{"body":"\#(text)"}}]"#)
    }

    static func status(_ status: String, id: String) -> [UInt8] {
        value(
            #""statuses":[{"id":"\#(id)","status":"\#(status)","timestamp":"1763920002","#
                + #""recipient_id":"4915550000001"}]"#)
    }
}
