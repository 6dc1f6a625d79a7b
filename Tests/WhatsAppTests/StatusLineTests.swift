import Base
import Testing

@testable import WhatsApp

private typealias Fixture = WebhookFixture

@Suite struct StatusLineTests {
    private static let receivedAt = Timestamp(rawValue: 1_764_000_000_042)

    /// The lines of a body's statuses, and how many had an escape replaced.
    private static func lines(of body: String) throws -> (lines: [String], replacedCount: Int) {
        let bytes = Array(body.utf8)
        var replacedCount = 0
        let lines = try split(bytes).statuses.map { status in
            var line: [UInt8] = []
            if StatusLine.append(status, of: bytes, receivedAt: receivedAt, to: &line) {
                replacedCount += 1
            }
            return String(decoding: line, as: UTF8.self)
        }
        return (lines, replacedCount)
    }

    private static func line(of body: String) throws -> String {
        try #require(try lines(of: body).lines.first)
    }

    @Test func `a line is the status as sent, with its origin in front`() throws {
        let status = #"{"id":"wamid.S","recipient_id":"4911","href":"\/a\u003Cb\u00e9é"}"#
        let contact = Fixture.contact("4911")
        let body = Fixture.webhook(
            Fixture.change(Fixture.contacts(contact), Fixture.statuses(status))
        )
        let key = try #require(try split(body).statuses.first).key.hex
        #expect(
            try Self.line(of: body) == #"{"event_key":"\#(key)","#
                + #""received_at":"2025-11-24T16:00:00.042Z","waba_id":"7007","#
                + #""phone_number_id":"1010","display_phone_number":"15550001111","#
                + #""contact":\#(contact),\#(status.dropFirst())"# + "\n"
        )
    }

    @Test func `lines are appended to what is there`() throws {
        let body = Array(
            Fixture.webhook(Fixture.change(Fixture.statuses("{}", Fixture.status()))).utf8
        )
        var all = Array("before\n".utf8)
        for status in try split(body).statuses {
            _ = StatusLine.append(status, of: body, receivedAt: Self.receivedAt, to: &all)
        }
        let lines = String(decoding: all, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "before" && lines[2].hasPrefix("{\"event_key\""))
    }

    @Test func `white space outside strings goes, inside it stays`() throws {
        let body = """
            { "object" : "whatsapp_business_account", "entry" : [ { "id" : "7007", "changes" : [ {
              "field" : "messages", "value" : { "statuses" : [ {\r
                "id" : "a b\\n c" ,\t"x\\" y" : [ 1 , { } , "\\\\" ] , "z" : " } "
              } , { } ] } } ] } ] }
            """
        let lines = try Self.lines(of: body).lines
        let first = #","id":"a b\n c","x\" y":[1,{},"\\"],"z":" } "}"# + "\n"
        #expect(lines.count == 2)
        #expect(lines[0].hasSuffix(#""waba_id":"7007""# + first))
        #expect(lines[1].hasSuffix(#""waba_id":"7007"}"# + "\n"))
        #expect(lines.allSatisfy { $0.count { $0.isNewline } == 1 })
    }

    @Test func `a key that WhatsApp uses itself wins over ours`() throws {
        let ours = [
            "event_key", "received_at", "waba_id", "phone_number_id", "display_phone_number",
            "contact",
        ]
        let contacts = Fixture.contacts(Fixture.contact("4911"))
        for key in ours {
            let escaped = "\\u00" + String(key.utf8.first ?? 0, radix: 16) + key.dropFirst()
            for spelling in [key, escaped] {
                let status = #"{"recipient_id":"4911","\#(spelling)":"theirs"}"#
                let body = Fixture.webhook(Fixture.change(contacts, Fixture.statuses(status)))
                let line = try Self.line(of: body)
                let object = try #require(try parsed(line.utf8) as? [String: Any])
                #expect(object[key] as? String == "theirs")
                #expect(object.count == 7)
                #expect(line.matches(of: try Regex("\"\(key)\":")).count <= 1)
            }
        }
        let all =
            #"{"recipient_id":"4911","# + ours.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        let body = Fixture.webhook(Fixture.change(contacts, Fixture.statuses(all)))
        #expect(try Self.line(of: body) == all + "\n")
    }

    @Test func `half a surrogate pair becomes the replacement character, and is told`() throws {
        let status = #"{"a":"\ud83d","b":"\ude00\ud83d\ude00\\ud83d","c":"\uD83D\uD83Dx"}"#
        let (lines, count) = try Self.lines(
            of: Fixture.webhook(Fixture.change(Fixture.statuses(status, Fixture.status())))
        )
        #expect(count == 1 && lines.count == 2)
        #expect(
            lines[0].hasSuffix(
                #"{"a":"\ufffd","b":"\ufffd\ud83d\ude00\\ud83d","c":"\ufffd\ufffdx"}"#.dropFirst()
                    + "\n"
            )
        )
        #expect(throws: Never.self) { try parsed(lines[0].utf8) }
    }

    @Test func `a name cut in mid-emoji is mended in the line and left as it is for PHP`() throws {
        let contact = #"{"profile":{"name":"x\ud83d"},"wa_id":"4911"}"#
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.contacts(contact), Fixture.statuses(Fixture.status()),
                Fixture.messages(Fixture.message())
            )
        )
        let (lines, count) = try Self.lines(of: body)
        #expect(count == 1 && lines[0].contains(#"{"name":"x\ufffd"}"#))
        #expect(try split(body).parts.first?.text.contains(#"{"name":"x\ud83d"}"#) == true)
        #expect(try split(body).statuses.first?.hasLoneSurrogate == true)
    }

    static let contacts: [(String, String?)] = [
        (#"{"recipient_id":"4922"}"#, "4922"), (#"{"recipient_id":"49\u00322"}"#, "4922"),
        (#"{"recipient_user_id":"US.22"}"#, "4922"),
        (#"{"recipient_id":"g","recipient_participant_id":"4922"}"#, "4922"),
        (#"{"recipient_id":"g","participant_recipient_id":"4922"}"#, "4922"),
        (#"{"recipient_id":"g","recipient_participant_user_id":"US.22"}"#, "4922"),
        (#"{"recipient_id":"4911","recipient_user_id":"US.22"}"#, "4911"),
        (#"{"recipient_id":"4933"}"#, nil), (#"{}"#, nil), (#"{"recipient_id":""}"#, nil),
    ]

    @Test(arguments: contacts)
    func `the contact is the recipient's or none`(status: String, waID: String?) throws {
        let empty = #"{"wa_id":"","user_id":null}"#
        let contacts = Fixture.contacts(
            "7", empty, Fixture.contact("4911"), Fixture.contact("4922", userID: "US.22")
        )
        let body = Array(
            Fixture.webhook(Fixture.change(contacts, Fixture.statuses(status))).utf8
        )
        let found = try #require(try split(body).statuses.first).contact.map { body[$0] }
        let texts = [
            "4911": Fixture.contact("4911"), "4922": Fixture.contact("4922", userID: "US.22"),
        ]
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == waID.flatMap { texts[$0] })
    }

    @Test func `a status tells its message, its name and its time`() throws {
        let body = Array(Fixture.webhook(Fixture.change(Fixture.statuses(Fixture.status()))).utf8)
        let status = try #require(try split(body).statuses.first)
        func text(_ range: Range<Int>?) -> String? {
            range.map { String(decoding: body[$0], as: UTF8.self) }
        }
        #expect(text(status.wamid) == #""wamid.S1""# && text(status.status) == #""delivered""#)
        #expect(text(status.wabaID) == #""7007""# && text(status.phoneNumberID) == #""1010""#)
        #expect(text(status.object) == Fixture.status())
        #expect(status.eventSeconds == 1_764_000_000 && !status.hasLoneSurrogate)
    }
}
