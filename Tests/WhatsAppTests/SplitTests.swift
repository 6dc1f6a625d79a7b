import Testing

@testable import WhatsApp

private typealias Fixture = WebhookFixture

@Suite struct SplitTests {
    @Test func `one conversation without statuses goes byte for byte, white space and all`() throws
    {
        let body =
            " "
            + Fixture.webhook(
                Fixture.change(
                    Fixture.contacts(Fixture.contact("4911"), Fixture.contact("4999")),
                    Fixture.messages(Fixture.message("1"), Fixture.message("2")),
                    #""statuses":[]"#
                ),
                Fixture.change(Fixture.messages())
            ).replacing(":", with: " : ") + "\n"
        for mode in SplitMode.allCases where mode != .message {
            let webhook = try split(body, mode)
            #expect(webhook.parts.map(\.bytes) == [.whole])
            #expect(webhook.parts.first?.conversations == ["1010:4911"])
            #expect(webhook.parts.first?.events.count == 2)
        }
    }

    @Test func `statuses leave a mixed body, and all the rest keeps its bytes`() throws {
        let message = Fixture.message()
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.contacts(Fixture.contact("4911")), Fixture.statuses(Fixture.status()),
                Fixture.messages(message), #""errors":[ 1 ]"#
            )
        )
        let expected = Fixture.webhook(
            Fixture.change(
                Fixture.contacts(Fixture.contact("4911")), Fixture.messages(message),
                #""errors":[ 1 ]"#
            )
        )
        for mode in SplitMode.allCases {
            let webhook = try split(body, mode)
            #expect(webhook.statuses.count == 1)
            #expect(webhook.parts.map(\.text) == [expected])
        }
    }

    @Test func `each conversation gets its part, with the contacts of its senders`() throws {
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.contacts(
                    Fixture.contact("4911"), Fixture.contact("4922"), Fixture.contact("4900")
                ),
                Fixture.messages(
                    Fixture.message("1", from: "4922"), Fixture.message("2", from: "4911"),
                    Fixture.message("3", from: "4922")
                )
            )
        )
        let webhook = try split(body)
        #expect(webhook.parts.map(\.conversations) == [["1010:4922"], ["1010:4911"]])
        #expect(
            webhook.parts.map(\.text) == [
                Fixture.webhook(
                    Fixture.change(
                        Fixture.contacts(Fixture.contact("4922")),
                        Fixture.messages(
                            Fixture.message("1", from: "4922"), Fixture.message("3", from: "4922")
                        )
                    )
                ),
                Fixture.webhook(
                    Fixture.change(
                        Fixture.contacts(Fixture.contact("4911")),
                        Fixture.messages(Fixture.message("2", from: "4911"))
                    )
                ),
            ]
        )
    }

    @Test func `all contacts stay where none is the sender's`() throws {
        let contacts = Fixture.contacts(Fixture.contact("1"), Fixture.contact("2"))
        let first = Fixture.message("1", from: "4911")
        let second = Fixture.message("2", from: "4922")
        let body = Fixture.webhook(Fixture.change(contacts, Fixture.messages(first, second)))
        #expect(
            try split(body).parts.map(\.text) == [
                Fixture.webhook(Fixture.change(contacts, Fixture.messages(first))),
                Fixture.webhook(Fixture.change(contacts, Fixture.messages(second))),
            ]
        )
    }

    @Test func `what belongs to no conversation goes with the first part`() throws {
        let one = Fixture.message("1", from: "4911")
        let two = Fixture.message("2", from: "4922")
        let errors = #""errors":[{"code":1}]"#
        let body = Fixture.webhook(
            Fixture.change(errors), Fixture.change(Fixture.messages(one, two), #""more":{}"#)
        )
        #expect(
            try split(body).parts.map(\.text) == [
                Fixture.webhook(
                    Fixture.change(errors), Fixture.change(Fixture.messages(one), #""more":{}"#)
                ),
                Fixture.webhook(Fixture.change(Fixture.messages(two))),
            ]
        )
    }

    @Test func `what stands empty after a cut is left out, what stands beside it stays`() throws {
        let status = Fixture.change(Fixture.statuses(Fixture.status()))
        let message = Fixture.change(Fixture.messages(Fixture.message()))
        let review = #"{"value":{"decision":"APPROVED"},"field":"account_review_update"}"#
        let entries = [
            Fixture.entry([status], id: "1"), Fixture.entry([status, message], id: "2"),
            Fixture.entry([], id: "3"), "[]", Fixture.entry([review, status], id: "4"),
        ]
        func body(_ entries: [String]) -> String {
            #"{"x":[1],"entry":[\#(entries.joined(separator: ","))],"#
                + #""object":"whatsapp_business_account","y":{"z":" "}}"#
        }
        let webhook = try split(body(entries))
        #expect(webhook.statuses.count == 3)
        #expect(
            webhook.parts.map(\.conversations)
                == [["1010:4911"], ["webhook"], ["account_review_update"]]
        )
        #expect(
            webhook.parts.map(\.text) == [
                body([Fixture.entry([message], id: "2")]), body(["[]"]),
                body([Fixture.entry([review], id: "4")]),
            ]
        )
        let single = try split(body(entries), .webhook)
        #expect(
            single.parts.map(\.text) == [
                body([
                    Fixture.entry([message], id: "2"), "[]", Fixture.entry([review], id: "4"),
                ])
            ]
        )
        #expect(single.parts.first?.conversations.count == 3)
        #expect(single.parts.first?.field == "messages")
        #expect(single.parts.first?.phoneNumberID == "1010")
    }

    @Test func `one part a message, where that is asked for`() throws {
        let messages = (1...3).map { Fixture.message("\($0)") }
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.messages(messages[0], messages[1], messages[2]), #""errors":[]"#
            )
        )
        let webhook = try split(body, .message)
        #expect(webhook.parts.map(\.conversations) == Array(repeating: ["1010:4911"], count: 3))
        #expect(webhook.parts.map(\.events.count) == [2, 1, 1])
        #expect(
            webhook.parts[2].text == Fixture.webhook(Fixture.change(Fixture.messages(messages[2])))
        )
    }

    @Test func `a webhook in one part is not cut for its many conversations`() throws {
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.messages(
                    Fixture.message("1", from: "1"), Fixture.message("2", from: "2"),
                    Fixture.message("3", from: "1")
                )
            )
        )
        let webhook = try split(body, .webhook)
        #expect(webhook.parts.map(\.bytes) == [.whole])
        #expect(webhook.parts.first?.conversations == ["1010:1", "1010:2"])
    }

    @Test func `the time and the kind of each event are told`() throws {
        let body = Fixture.webhook(
            Fixture.change(
                Fixture.messages(
                    Fixture.message(), #"{"from":"4911","timestamp":1764000001}"#,
                    #"{"from":"4911","timestamp":"soon"}"#, #"{"from":"4911","timestamp":1.5}"#,
                    #"{"from":"4911","timestamp":"-5"}"#, #"{"from":"4911","timestamp":""}"#,
                    #"{"from":"4911","timestamp":"9999999999999999999"}"#,
                    #"{"from":"4911","timestamp":null}"#, #"{"from":"4911","timestamp":"\u0031"}"#
                ),
                #""errors":[]"#
            )
        )
        let events = try #require(try split(body).parts.first).events
        #expect(
            events.map(\.eventSeconds)
                == [1_764_000_000, 1_764_000_001, nil, nil, nil, nil, nil, nil, 1, nil]
        )
        #expect(events.map(\.kind) == Array(repeating: .message, count: 9) + [.other])
        #expect(events.map { $0.key == nil } == Array(repeating: false, count: 9) + [true])
    }
}

@Suite struct ForwardedStatusTests {
    private let failed = Fixture.status("failed", id: "F", to: "4911")
    private let read = Fixture.status("read", id: "R", to: "4911")

    @Test func `a status that is asked for goes to the lake and to PHP`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.statuses(read, failed)))
        let webhook = try split(body, forwarding: ["failed"])
        #expect(webhook.statuses.count == 2)
        #expect(
            webhook.parts.map(\.text)
                == [Fixture.webhook(Fixture.change(Fixture.statuses(failed)))]
        )
        #expect(webhook.parts.first?.events.map(\.key) == [webhook.statuses[1].key])
        #expect(webhook.parts.first?.events.first?.kind == .status)
        #expect(webhook.parts.first?.events.first?.eventSeconds == 1_764_000_000)
    }

    @Test func `a body of asked-for statuses alone is not cut`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.statuses(failed)))
        let webhook = try split(body, forwarding: ["failed", "read"])
        #expect(webhook.parts.map(\.bytes) == [.whole] && webhook.statuses.count == 1)
    }

    @Test func `a status goes in order with the messages of its recipient`() throws {
        let statuses = Fixture.statuses(
            #"{"status":"failed","recipient_id":"4911"}"#,
            #"{"status":"failed","recipient_id":"4922","recipient_user_id":"US.2"}"#,
            #"{"status":"failed","recipient_id":"group-1","recipient_type":"group"}"#,
            #"{"status":"failed","id":"wamid.9"}"#, #"{"status":"failed"}"#
        )
        let body = Fixture.webhook(
            Fixture.change(Fixture.contacts(Fixture.contact("4911", userID: "US.1")), statuses)
        )
        let webhook = try split(body, forwarding: ["failed"])
        #expect(
            webhook.parts.map(\.conversations) == [
                ["1010:US.1"], ["1010:US.2"], ["1010:group-1"], ["1010:wamid.9"],
                ["1010:messages"],
            ]
        )
    }

    @Test func `statuses that are none stay with the asked-for ones`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.statuses(read, "null", failed, "7")))
        let webhook = try split(body, .webhook, forwarding: ["failed"])
        #expect(webhook.statuses.count == 2)
        #expect(
            webhook.parts.map(\.text)
                == [Fixture.webhook(Fixture.change(Fixture.statuses("null", failed, "7")))]
        )
    }
}

@Suite struct DoubleTests {
    private let one = Fixture.message("1")
    private let two = Fixture.message("2")

    @Test func `doubles are kept until it is asked to drop them`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.messages(one, two, one)))
        let all = try split(body)
        #expect(all.parts.map(\.events.count) == [3] && all.droppedCount == 0)
        let once = try split(body, dropping: [])
        #expect(
            once.parts.map(\.text)
                == [Fixture.webhook(Fixture.change(Fixture.messages(one, two)))]
        )
        #expect(once.eventCount == 3 && once.droppedCount == 1)
    }

    @Test func `a body without doubles is not cut for having been asked`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.messages(one, two)))
        #expect(try split(body, dropping: []).parts.map(\.bytes) == [.whole])
    }

    @Test func `what PHP has had is left out, and a part without events vanishes`() throws {
        let other = Fixture.message("3", from: "4922")
        let body = Fixture.webhook(
            Fixture.change(Fixture.messages(one, two, other), #""errors":[]"#)
        )
        let keys = try split(body).parts.flatMap(\.events).compactMap(\.key)
        #expect(keys.count == 3)
        let rest = try split(body, dropping: [keys[0], keys[1]])
        #expect(rest.parts.map(\.conversations) == [["1010:4922"]])
        #expect(rest.parts.first?.text.contains(#""errors":[]"#) == true)
        #expect(rest.eventCount == 4 && rest.droppedCount == 2)
        let loose = try split(body, dropping: Set(keys))
        #expect(
            loose.parts.map(\.text) == [Fixture.webhook(Fixture.change(#""errors":[]"#))]
        )
    }

    @Test func `a body whose events were all had gives nothing, but is not empty`() throws {
        let body = Fixture.webhook(Fixture.change(Fixture.messages(one)))
        let keys = try split(body).parts.flatMap(\.events).compactMap(\.key)
        let webhook = try split(body, dropping: Set(keys))
        #expect(webhook.parts.isEmpty && !webhook.isEmpty && webhook.droppedCount == 1)
    }

    @Test func `changes come as often as they are sent`() throws {
        let review = #"{"value":{"decision":"APPROVED"},"field":"account_review_update"}"#
        let webhook = try split(Fixture.webhook(review, review), dropping: [])
        #expect(webhook.parts.map(\.bytes) == [.whole])
        #expect(webhook.parts.first?.events.map(\.key) == [nil, nil])
    }

    @Test func `the lake is told of every status, dropped or not`() throws {
        let status = Fixture.status("failed")
        let body = Fixture.webhook(Fixture.change(Fixture.statuses(status, status)))
        let webhook = try split(body, forwarding: ["failed"], dropping: [])
        #expect(webhook.statuses.count == 2 && webhook.droppedCount == 1)
        #expect(webhook.statuses[0].key == webhook.statuses[1].key)
        #expect(
            webhook.parts.map(\.text)
                == [Fixture.webhook(Fixture.change(Fixture.statuses(status)))]
        )
    }
}
