import Testing

@testable import WhatsApp

@Suite struct PersonEraserTests {
    private let eraser = PersonEraser(person: "4915550000001")

    private func value(_ members: String, field: String = "messages") -> String {
        """
        {"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":\
        {"messaging_product":"whatsapp","metadata":{"phone_number_id":"7"},\(members)},\
        "field":"\(field)"}]}]}
        """
    }

    private func status(_ id: String, to: String) -> String {
        #"{"id":"\#(id)","status":"sent","timestamp":"1","recipient_id":"\#(to)"}"#
    }

    private func message(_ id: String, from: String, _ rest: String = "") -> String {
        #"{"from":"\#(from)","id":"\#(id)","timestamp":"1","type":"text"\#(rest)}"#
    }

    private func erase(_ body: String) -> PersonEraser.Outcome {
        eraser.erase(from: Array(body.utf8))
    }

    @Test func `a body without the person stays as it is`() {
        #expect(erase(value(#""messages":[\#(message("a", from: "49"))]"#)) == .untouched)
        // Part of a longer number is another one.
        let longer = message("a", from: "49155500000012")
        #expect(erase(value(#""messages":[\#(longer)]"#)) == .untouched)
    }

    @Test func `other people's events stay, byte for byte, with their contacts`() {
        let other = message("b", from: "49", #", "text": {"body": "\u00e4 \/"}"#)
        let contacts = #"{"wa_id":"4915550000001","profile":{"name":"X"}},{"wa_id":"49"}"#
        let body = value(
            #""contacts":[\#(contacts)],"messages":["#
                + #"\#(message("a", from: "4915550000001")), \#(other)]"#)
        let rest = value(#""contacts":[{"wa_id":"49"}],"messages":[\#(other)]"#)
        #expect(erase(body) == .cut(Array(rest.utf8), statusCount: 0, eventCount: 1))
    }

    @Test func `statuses are taken out by their recipient, and counted apart`() {
        let body = value(
            #""statuses":[\#(status("a", to: "4915550000001")),\#(status("b", to: "49"))],"#
                + #""messages":[\#(message("c", from: "4915550000001"))]"#)
        let rest = value(#""statuses":[\#(status("b", to: "49"))],"messages":[]"#)
        #expect(erase(body) == .cut(Array(rest.utf8), statusCount: 1, eventCount: 1))
    }

    @Test func `a body with nobody else in it goes whole`() {
        let body = value(#""statuses":[\#(status("a", to: "4915550000001"))]"#)
        #expect(erase(body) == .gone(statusCount: 1, eventCount: 0))
        let other = value(#""user":{"wa_id":"4915550000001"}"#, field: "user_preferences")
        #expect(erase(other) == .gone(statusCount: 0, eventCount: 1))
    }

    @Test func `an answer to the person is somebody else's message`() {
        let answer = message("a", from: "49", #","context":{"from":"4915550000001","id":"x"}"#)
        #expect(erase(value(#""messages":[\#(answer)]"#)) == .untouched)
    }

    @Test func `bytes that cannot be read go where they hold the number`() {
        #expect(erase("no JSON, 4915550000001") == .gone(statusCount: 0, eventCount: 1))
        #expect(erase("no JSON") == .untouched)
    }

    @Test func `a line of the lake is told by its recipient`() {
        #expect(eraser.isAbout(line: Array(status("a", to: "4915550000001").utf8)))
        #expect(!eraser.isAbout(line: Array(status("4915550000001x", to: "49").utf8)))
    }
}
