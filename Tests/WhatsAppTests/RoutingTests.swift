import Foundation
import Testing

@testable import WhatsApp

/// One row of the routing table as a body, with what has to become of it.
struct RoutingCase: Sendable {
    let content: WebhookContent
    let body: String
    let outcome: Outcome

    enum Outcome: Equatable, Sendable {
        /// This many lines in the lake, nothing for PHP.
        case lake(Int)
        /// One event for PHP, in the webhook's own bytes, nothing in the lake.
        case php(field: String, conversation: String)
        /// No event at all.
        case nothing
    }

    static let all: [RoutingCase] =
        webhooks + entries + changes + otherFields + statuses + messages + context

    static let webhooks = [
        php(.otherObject, "{}"),
        php(.otherObject, #"{"entry":[{"id":"1","changes":[]}]}"#),
        php(.otherObject, #"{"object":"page","entry":[]}"#),
        php(.otherObject, #"{"object":null,"x":{"a":[1]}}"#),
        php(.otherObject, #"{"object":["whatsapp_business_account"],"entry":[]}"#),
        php(.entriesMisshapen, inWebhook("{}")),
        php(.entriesMisshapen, inWebhook("null")),
        php(.entriesMisshapen, #"{"object":"whatsapp_business_account"}"#),
    ]

    static let entries = [
        php(.entryMisshapen, inWebhook("[7]")),
        php(.entryMisshapen, inWebhook("[[]]")),
        php(.entryMisshapen, inWebhook(#"[{"id":"1"}]"#)),
        php(.entryMisshapen, inWebhook(#"[{"id":"1","messaging":[{}]}]"#)),
        php(.entryMisshapen, inWebhook(#"[{"id":"1","changes":{}}]"#)),
    ]

    static let changes = [
        php(.changeMisshapen, inChanges("null")),
        php(.changeMisshapen, inChanges(#"{"value":{}}"#)),
        php(.changeMisshapen, inChanges(#"{"field":7,"value":{}}"#)),
        php(.valueMisshapen, inChanges(#"{"field":"messages"}"#), "messages"),
        php(.valueMisshapen, inChanges(#"{"field":"messages","value":[]}"#), "messages"),
        php(.valueMisshapen, inChanges(#"{"field":"messages","value":null}"#), "messages"),
    ]

    static let otherFields = [
        php(.otherField, inChanges(#"{"value":{"event":"X"},"field":"security"}"#), "security"),
        php(.otherField, inChanges(#"{"field":"security"}"#), "security"),
        php(.otherField, inChanges(#"{"field":"","value":{}}"#), "", "webhook"),
        php(
            .otherField,
            inChanges(#"{"field":"calls","value":{"statuses":[{"id":"wacid.1"}]}}"#),
            "calls", "wacid.1"
        ),
        php(
            .otherField,
            inChanges(#"{"field":"standby","value":{"standby":{"statuses":[{"id":"w"}]}}}"#),
            "standby"
        ),
    ]

    static let statuses = [
        inValue(.status, WebhookFixture.statuses(WebhookFixture.status()), .lake(1)),
        inValue(.status, WebhookFixture.statuses("{}", "{}"), .lake(2)),
        inValue(.statusMisshapen, WebhookFixture.statuses("null"), messagesOf("1010:messages")),
        inValue(.statusMisshapen, WebhookFixture.statuses("[{}]"), messagesOf("1010:messages")),
        inValue(.statusesMisshapen, #""statuses":{"id":"wamid.1"}"#, messagesOf("messages")),
        inValue(.statusesMisshapen, #""statuses":null"#, messagesOf("messages")),
    ]

    static let messages = [
        inValue(
            .message, WebhookFixture.messages(WebhookFixture.message()), messagesOf("1010:4911")
        ),
        inValue(.message, WebhookFixture.messages("7"), messagesOf("1010:messages")),
        inValue(.messagesMisshapen, #""messages":{}"#, messagesOf("messages")),
        inValue(.otherValueKey, #""errors":[{"code":130429}]"#, messagesOf("messages")),
        inValue(.otherValueKey, #""errors":[]"#, messagesOf("messages")),
        inValue(.otherValueKey, #""user_actions":[{"wa_id":"4911"}]"#, messagesOf("4911")),
        inValue(.otherValueKey, #""unheard_of":null"#, messagesOf("messages")),
    ]

    static let context = [
        inValue(.context, #""contacts":[{"wa_id":"4911"}]"#, .nothing),
        inValue(.context, #""contacts":null"#, .nothing),
        inValue(.context, #""statuses":[],"messages":[]"#, .nothing),
        RoutingCase(
            content: .context, body: inChanges(#"{"field":"messages","value":{},"more":1}"#),
            outcome: .nothing
        ),
        RoutingCase(content: .context, body: inChanges(""), outcome: .nothing),
        RoutingCase(content: .context, body: inWebhook("[]"), outcome: .nothing),
    ]

    private static func inWebhook(_ entries: String) -> String {
        #"{"object":"whatsapp_business_account","entry":\#(entries)}"#
    }

    private static func inChanges(_ changes: String) -> String {
        inWebhook(#"[{"id":"7007","time":1764000000,"changes":[\#(changes)]}]"#)
    }

    private static func messagesOf(_ conversation: String) -> Outcome {
        .php(field: "messages", conversation: conversation)
    }

    private static func inValue(
        _ content: WebhookContent, _ members: String, _ outcome: Outcome
    ) -> RoutingCase {
        let body = WebhookFixture.webhook(WebhookFixture.change(members))
        return RoutingCase(content: content, body: body, outcome: outcome)
    }

    private static func php(
        _ content: WebhookContent, _ body: String, _ field: String = "",
        _ conversation: String? = nil
    ) -> RoutingCase {
        let conversation = conversation ?? (field.isEmpty ? "webhook" : field)
        return RoutingCase(
            content: content, body: body, outcome: .php(field: field, conversation: conversation)
        )
    }
}

@Suite struct RoutingTests {
    private static func outcome(of body: String) throws -> RoutingCase.Outcome {
        let webhook = try split(body)
        if webhook.isEmpty { return .nothing }
        guard let part = webhook.parts.first else { return .lake(webhook.statuses.count) }
        #expect(webhook.parts.count == 1 && webhook.statuses.isEmpty)
        #expect(part.bytes == .whole && part.events.count == 1)
        return .php(field: part.field, conversation: try #require(part.conversations.first))
    }

    @Test(arguments: RoutingCase.all)
    func `everything a webhook can hold goes where the table says`(row: RoutingCase) throws {
        #expect(try Self.outcome(of: row.body) == row.outcome)
    }

    @Test func `every row of the table has a body that shows it`() {
        #expect(Set(RoutingCase.all.map(\.content)) == Set(WebhookContent.allCases))
        for row in RoutingCase.all {
            switch (row.content.route, row.outcome) {
            case (.lake, .lake), (.php, .php), (.alongside, .nothing): break
            default: Issue.record("\(row.content) has a route that its body does not show")
            }
        }
    }

    @Test(arguments: RoutingCase.all)
    func `keys mean the same escaped and with white space between`(row: RoutingCase) throws {
        var spelled = row.body
        for key in ["object", "entry", "changes", "field", "value", "statuses", "messages"] {
            let first = String(key.utf8.first ?? 0, radix: 16)
            spelled = spelled.replacing(
                "\"\(key)\":", with: "\n\"\\u00\(first)\(key.dropFirst())\" :\t"
            )
        }
        #expect(try Self.outcome(of: spelled) == row.outcome)
    }

    /// Each row beside a status and a message: neither changes where the other goes.
    @Test(
        arguments: RoutingCase.changes + RoutingCase.otherFields + RoutingCase.statuses
            + RoutingCase.messages)
    func `one strange change takes nothing with it`(row: RoutingCase) throws {
        let status = WebhookFixture.change(
            WebhookFixture.statuses(WebhookFixture.status(id: "wamid.X"))
        )
        let tail = try #require(row.body.range(of: "]}]}", options: .backwards))
        let body = row.body.replacingCharacters(in: tail, with: "," + status + "]}]}")
        let webhook = try split(body)
        switch row.outcome {
        case .lake(let count):
            #expect(webhook.statuses.count == count + 1 && webhook.parts.isEmpty)
        case .php(_, let conversation):
            #expect(webhook.statuses.count == 1 && webhook.parts.count == 1)
            #expect(webhook.parts.first?.conversations == [conversation])
            #expect(webhook.parts.first?.text == row.body)
        case .nothing:
            #expect(webhook.statuses.count == 1 && webhook.parts.isEmpty)
        }
    }

    static let refused: [(String, UnparseableReason)] = [
        ("", .truncated), ("hello", .syntax), ("[]", .notAnObject), ("null", .notAnObject),
        (#"{"object":"a","object":"a"}"#, .repeatedKey),
        (#"{"object":"page","entry":[],"entry":[]}"#, .repeatedKey),
        (#"{"object":"page","\u006fbject":"page"}"#, .repeatedKey),
        (
            WebhookFixture.webhook().replacing(#""id":"7007""#, with: #""id":1,"id":1"#),
            .repeatedKey
        ),
        (WebhookFixture.webhook().replacing(#""id""#, with: #""changes":[],"id""#), .repeatedKey),
        (WebhookFixture.webhook(#"{"field":"a","field":"a","value":{}}"#), .repeatedKey),
        (WebhookFixture.webhook(#"{"field":"a","value":{},"value":{}}"#), .repeatedKey),
        (inValue(#""statuses":[],"statuses":[]"#), .repeatedKey),
        (inValue(#""messages":[],"messages":1"#), .repeatedKey),
        (inValue(#""metadata":{}"#), .repeatedKey),
        (inValue(#""contacts":[],"contacts":[]"#), .repeatedKey),
        (inValue(#""contacts":[],"contacts":[]"#, field: "calls"), .repeatedKey),
    ]

    private static func inValue(_ members: String, field: String = "messages") -> String {
        WebhookFixture.webhook(WebhookFixture.change(members, field: field))
    }

    @Test(arguments: refused)
    func `what cannot be read for certain is refused`(body: String, reason: UnparseableReason) {
        #expect(refusal(of: body) == reason)
    }

    @Test func `other keys may be repeated, and both stand`() throws {
        let body = WebhookFixture.webhook(
            WebhookFixture.change(#""errors":[1],"errors":[2],"statuses":[{"id":"1","id":"2"}]"#)
        )
        let webhook = try split(body)
        #expect(webhook.statuses.count == 1 && webhook.parts.first?.events.count == 2)
        #expect(webhook.parts.first?.text.contains(#""errors":[1],"errors":[2]}"#) == true)
    }
}
