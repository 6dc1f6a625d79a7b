import Testing

@testable import WhatsApp

private typealias Fixture = WebhookFixture

@Suite struct EventKeyTests {
    private static func key(_ kind: EventKind, _ phone: String, _ object: String) -> EventKey {
        Array(phone.utf8).withUnsafeBytes { phone in
            Array(object.utf8).withUnsafeBytes {
                EventKey(kind: kind, phoneNumberID: phone, object: $0)
            }
        }
    }

    /// Stored in queues and lakes: a change of this value is a change of what a double is.
    @Test func `a key stays what it was in every release`() {
        #expect(
            Self.key(.status, "\"1010\"", "{\"id\":\"wamid.1\"}").hex
                == "01299ad84ac7b7b6b3aefeedd38e8900"
        )
    }

    @Test func `kind, number and object each make another key, and their borders count`() {
        let keys = [
            Self.key(.status, "12", "3"), Self.key(.message, "12", "3"),
            Self.key(.status, "1", "23"), Self.key(.status, "123", ""),
            Self.key(.status, "", "123"), Self.key(.status, "12", "4"),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(Self.key(.status, "12", "3") == keys[0])
    }

    @Test func `the halves and the text are the same 16 bytes`() {
        let key = EventKey(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0EFF)
        #expect(key.hex == "000102030405060708090a0b0c0d0eff" && key.description == key.hex)
    }

    @Test func `a resend has the same keys, group receipts have their own`() throws {
        let receipts = Fixture.statuses(
            #"{"id":"w","status":"read","recipient_participant_id":"1"}"#,
            #"{"id":"w","status":"read","recipient_participant_id":"2"}"#
        )
        let first = try split(Fixture.webhook(Fixture.change(receipts))).statuses.map(\.key)
        let again = try split(Fixture.webhook(Fixture.change(receipts))).statuses.map(\.key)
        #expect(first == again && Set(first).count == 2)
        let number = Fixture.change(receipts).replacing("1010", with: "2020")
        let other = try split(Fixture.webhook(number)).statuses.map(\.key)
        #expect(Set(first + other).count == 4)
    }

    @Test func `the bytes as sent make the key, not what they mean`() throws {
        let spellings = [#"{"id":"a"}"#, #"{ "id":"a"}"#, #"{"id":"\u0061"}"#]
        let keys = try spellings.map {
            try split(Fixture.webhook(Fixture.change(Fixture.statuses($0)))).statuses[0].key
        }
        #expect(Set(keys).count == 3)
    }

    @Test func `a status and a message of the same bytes are two events`() throws {
        let body = Fixture.webhook(
            Fixture.change(Fixture.statuses("{}"), Fixture.messages("{}"))
        )
        let webhook = try split(body)
        #expect(webhook.statuses.first?.key != webhook.parts.first?.events.first?.key)
    }
}

@Suite struct DeliveryKeyTests {
    private static let messages = [1, 2].map {
        Event(key: EventKey(high: $0, low: 0), eventSeconds: nil, kind: .message)
    }
    private static let change = Event(key: nil, eventSeconds: nil, kind: .other)

    private static func key(
        _ events: [Event], _ queueID: String = "q", _ webhookID: Int64 = 1, _ part: Int = 0
    ) -> String {
        DeliveryKey.make(events: events, queueID: queueID, webhookID: webhookID, part: part)
    }

    @Test func `messages have the same id wherever they are stored`() {
        let key = Self.key(Self.messages)
        #expect(key == Self.key(Self.messages, "other", 99, 3))
        #expect(key == Self.key(Self.messages + [Self.change]))
        #expect(key != Self.key([Self.messages[0]]))
        #expect(key != Self.key(Self.messages.reversed()))
        #expect(key.count == 32 && key.allSatisfy(\.isHexDigit) && key == key.lowercased())
    }

    @Test func `other changes have an id of their own each time`() {
        let keys = [
            Self.key([Self.change]), Self.key([Self.change], "r"), Self.key([Self.change], "q", 2),
            Self.key([Self.change], "q", 1, 1), Self.key([Self.change], "q1", 1),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(Self.key([Self.change]) == keys[0])
    }
}
