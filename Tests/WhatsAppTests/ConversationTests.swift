import Testing

@testable import WhatsApp

private typealias Fixture = WebhookFixture

@Suite struct ConversationTests {
    static let messages: [(String, String)] = [
        (#"{"from":"4911","id":"m"}"#, "1010:4911"),
        (#"{"from":4911}"#, "1010:4911"),
        (#"{"from":"\u0034911"}"#, "1010:4911"),
        (#"{"from":"4922"}"#, "1010:US.22"),
        (#"{"from":"4\u003922"}"#, "1010:US.22"),
        (#"{"from":"4922","from_user_id":"US.own"}"#, "1010:US.own"),
        (#"{"from_user_id":"US.own"}"#, "1010:US.own"),
        (#"{"from":"4922","from_user_id":"US.own","group_id":"g1"}"#, "1010:g1"),
        (#"{"from":"4911","from_user_id":"","group_id":null}"#, "1010:4911"),
        (#"{"id":"m"}"#, "1010:m"),
        (#"{"from":["4911"],"id":"m"}"#, "1010:m"),
        (#"{"type":"text"}"#, "1010:messages"),
        ("null", "1010:messages"),
    ]

    @Test(arguments: messages)
    func `a message belongs to its group, else its user, else its sender`(
        message: String, conversation: String
    ) throws {
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.contacts(Fixture.contact("4922", userID: "US.22"), "null", "{}"),
                Fixture.messages(message)
            )
        )
        #expect(try split(body).parts.map(\.conversations) == [[conversation]])
    }

    static let changes: [(String, String)] = [
        (#"{"field":"calls","value":{"calls":[{"id":"wacid.1","to":"1"}]}}"#, "wacid.1"),
        (#"{"field":"calls","value":{"calls":[{},{"id":"wacid.2"}]}}"#, "wacid.2"),
        (#"{"field":"calls","value":{"statuses":[{"id":"wacid.1"}]}}"#, "wacid.1"),
        (#"{"field":"calls","value":{"calls":[{"to":"4911"}]}}"#, "4911"),
        (#"{"field":"calls","value":{}}"#, "calls"),
        (#"{"field":"x","value":{"user_id":"U","to":"T","wa_id":"W"}}"#, "T"),
        (#"{"field":"x","value":{"user_id":"U","recipient_id":"R","wa_id":"W"}}"#, "W"),
        (#"{"field":"x","value":{"user_id":"U","recipient_id":"R"}}"#, "R"),
        (#"{"field":"x","value":{"user_id":"U"}}"#, "U"),
        (#"{"field":"x","value":{"contacts":[{"wa_id":"C"}],"a":[{"wa_id":"W"}]}}"#, "W"),
        (#"{"field":"x","value":{"contacts":[{"wa_id":"C"}],"a":[1]}}"#, "C"),
        (#"{"field":"x","value":{"contacts":[{"wa_id":"C"}],"a":[{"to":"T"}]}}"#, "T"),
        (#"{"field":"x","value":{"a":{"wa_id":"W"}}}"#, "W"),
        (#"{"field":"x","value":"text"}"#, "x"),
    ]

    @Test(arguments: changes)
    func `a change belongs to its call, else to whom it is about, else to its field`(
        change: String, conversation: String
    ) throws {
        #expect(try split(Fixture.webhook(change)).parts.map(\.conversations) == [[conversation]])
    }

    @Test func `spelling does not part a conversation`() throws {
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.messages(#"{"from":"49\u00311"}"#, #"{"from":"4911"}"#)
            )
        )
        #expect(try split(body).parts.map(\.bytes) == [.whole])
    }

    @Test func `two numbers of one account have conversations of their own`() throws {
        let message = Fixture.messages(Fixture.message())
        let body = Fixture.webhook(
            Fixture.change(message), Fixture.change(message).replacing("1010", with: "2020"),
            #"{"value":{\#(message)},"field":"messages"}"#
        )
        let parts = try split(body).parts
        #expect(parts.map(\.conversations) == [["1010:4911"], ["2020:4911"], [":4911"]])
        #expect(parts.map(\.phoneNumberID) == ["1010", "2020", nil])
    }

    @Test func `a name holds no control character`() {
        #expect(ConversationName.make(Array("a\u{1B}[2J\n\u{7F}b".utf8)) == "a%1b[2J%0a%7fb")
        #expect(ConversationName.make(Array("\u{85}é°\u{9B}".utf8)) == "%c2%85é°%c2%9b")
        #expect(ConversationName.make(Array("1010:4911".utf8)) == "1010:4911")
    }

    @Test func `a name of 512 bytes stays, a longer one is hashed`() {
        let limit = String(repeating: "x", count: ConversationName.byteCountMax)
        #expect(ConversationName.make(Array(limit.utf8)) == limit)
        let longer = ConversationName.make(Array((limit + "x").utf8))
        #expect(longer.hasPrefix("sha256:") && longer.utf8.count == 71)
        #expect(longer != ConversationName.make(Array((limit + "y").utf8)))
        let controls = [UInt8](repeating: 0, count: 200)
        #expect(ConversationName.make(controls).hasPrefix("sha256:"))
    }

    @Test func `many contacts are found as few are`() throws {
        let contacts = (0..<200).map { Fixture.contact("49\($0)", userID: "US.\($0)") }
        let messages = (0..<200).map { Fixture.message("\($0)", from: "49\($0)") }
        let body = Fixture.webhook(
            Fixture.change(
                #""contacts":[\#(contacts.joined(separator: ","))]"#,
                #""messages":[\#(messages.joined(separator: ","))]"#
            )
        )
        let parts = try split(body).parts
        #expect(parts.map(\.conversations) == (0..<200).map { ["1010:US.\($0)"] })
        for (part, (contact, message)) in zip(parts, zip(contacts, messages)) {
            let expected = Fixture.change(Fixture.contacts(contact), Fixture.messages(message))
            #expect(part.text == Fixture.webhook(expected))
        }
    }
}
