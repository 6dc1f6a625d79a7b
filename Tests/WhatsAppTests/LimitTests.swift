import Base
import Testing

@testable import WhatsApp

private typealias Fixture = WebhookFixture

@Suite struct LimitTests {
    private static func body(_ members: String...) -> [UInt8] {
        let value = ([Fixture.metadata] + members).joined(separator: ",")
        return Array(Fixture.webhook(#"{"field":"messages","value":{\#(value)}}"#).utf8)
    }

    private static func list(_ key: String, _ elements: [String]) -> String {
        "\"\(key)\":[" + elements.joined(separator: ",") + "]"
    }

    @Test func `a thousand statuses are a thousand lines`() throws {
        let statuses = (0..<1_000).map { Fixture.status(id: "wamid.\($0)", to: "49\($0)") }
        let contacts = (0..<1_000).map { Fixture.contact("49\($0)") }
        let body = Self.body(Self.list("statuses", statuses), Self.list("contacts", contacts))
        let webhook = try split(body)
        #expect(webhook.statuses.count == 1_000 && webhook.parts.isEmpty)
        var lines: [UInt8] = []
        for (status, contact) in zip(webhook.statuses, contacts) {
            _ = StatusLine.append(status, of: body, receivedAt: .now(), to: &lines)
            #expect(status.contact.map { body[$0].elementsEqual(contact.utf8) } == true)
        }
        #expect(lines.count { $0 == 0x0A } == 1_000)
        #expect(Set(webhook.statuses.map(\.key)).count == 1_000)
    }

    @Test func `a thousand conversations are a thousand parts`() throws {
        let messages = (0..<1_000).map { Fixture.message("\($0)", from: "49\($0)") }
        let webhook = try split(Self.body(Self.list("messages", messages)))
        #expect(webhook.parts.map(\.conversations) == (0..<1_000).map { ["1010:49\($0)"] })
    }

    @Test func `one message of 3 MB goes as it came`() throws {
        let text = String(repeating: "\\u00e4 é\\n", count: 300_000)
        let message = #"{"from":"4911","text":{"body":"\#(text)"}}"#
        let body = Self.body(Self.list("messages", [message]))
        #expect(body.count > 3_000_000)
        #expect(try split(body).parts.map(\.bytes) == [.whole])
        let mixed = Self.body(Self.list("statuses", ["{}"]), Self.list("messages", [message]))
        #expect(
            try split(mixed).parts.map(\.bytes)
                == [
                    .cut(
                        Array(
                            Fixture.webhook(
                                #"{"field":"messages","value":{\#(Fixture.metadata),"#
                                    + Self.list("messages", [message]) + "}}"
                            ).utf8))
                ]
        )
    }

    /// Twice the elements must not take four times as long; the bound is lax for a busy machine.
    @Test(arguments: SplitMode.allCases)
    func `a body of many small elements takes time in proportion`(mode: SplitMode) throws {
        func duration(_ count: Int) throws -> Double {
            let half = (0..<count).map { #"{"from":"\#($0)"}"# }
            let body = Self.body(
                Self.list("messages", half), Self.list("statuses", half),
                Self.list("contacts", (0..<count).map { #"{"wa_id":"\#($0)"}"# })
            )
            return try (0..<3).map { _ in
                let start = MonotonicClock.now()
                _ = try split(body, mode, dropping: [])
                return (MonotonicClock.now() - start).secondsFraction
            }.min() ?? 0
        }
        let small = try duration(1_000)
        let large = try duration(8_000)
        #expect(large < small * 32, "8 times the events took \(large / small) times as long")
    }

    @Test func `a body that would grow by its own square stays in one part`() throws {
        let count = 2_000
        let messages = (0..<count).map { #"{"from":"\#($0)"}"# }
        let strangers = (0..<2_000).map { #"{"wa_id":"stranger-of-some-length-\#($0)"}"# }
        let body = Self.body(Self.list("messages", messages), Self.list("contacts", strangers))
        #expect(body.count * count > PartPlanner.cutByteCountMax)
        let webhook = try split(body)
        #expect(webhook.parts.map(\.bytes) == [.whole])
        #expect(webhook.parts.first?.conversations.count == count)
    }

    @Test func `lone surrogates and white space without end are read in proportion`() throws {
        let status = #"{"a":"\#(String(repeating: "\\ud83d", count: 200_000))"}"#
        let body = Self.body(Self.list("statuses", [status, "{}"]))
        let webhook = try split(body)
        #expect(webhook.statuses.map(\.hasLoneSurrogate) == [true, false])
        var line: [UInt8] = []
        #expect(StatusLine.append(webhook.statuses[0], of: body, receivedAt: .now(), to: &line))
        #expect(throws: Never.self) { try parsed(line) }
        let spaces = [UInt8](repeating: 0x20, count: 1_000_000)
        #expect(try split(spaces + Self.body() + spaces).isEmpty)
    }

    @Test func `one splitter serves many threads at once`() async throws {
        let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])
        let bodies = (0..<32).map { index in
            Self.body(Self.list("statuses", (0...index).map { Fixture.status(id: "\($0)") }))
        }
        await withTaskGroup(of: Void.self) { group in
            for (index, body) in bodies.enumerated() {
                group.addTask {
                    for _ in 0..<50 {
                        guard case .events(let webhook) = splitter.split(body) else { continue }
                        #expect(webhook.statuses.count == index + 1)
                    }
                }
            }
        }
    }
}
