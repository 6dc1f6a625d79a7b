import Base
import Queue
import TestSupport
import Testing
import WhatsApp

@testable import Workers

/// Several destinations at work: real queue, real sockets.
@Suite struct RouteTests {
    private func makeFixture(_ routes: String) throws -> ForwardFixture {
        let fixture = try ForwardFixture { _ in .status(200) }
        let (table, problems) = RouteTable.parse(routes)
        #expect(problems == [])
        fixture.settings.routes = table
        return fixture
    }

    private func change(_ field: String, phone: String, id: String) -> String {
        let time = Timestamp.now().seconds
        return #"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":"#
            + #"{"metadata":{"phone_number_id":"\#(phone)"},"messages":[{"from":"491","#
            + #""id":"\#(id)","timestamp":"\#(time)"}]},"field":"\#(field)"}]}]}"#
    }

    @Test func `each goes where the first rule says, and what is dropped is counted`() throws {
        let crm = try TestReceiver { _ in .status(200) }
        let fixture = try makeFixture(
            "destination crm \(crm.url)\nroute phone=7 crm\nroute field=other drop\n"
                + "route field=calls dead")
        fixture.settings.headers = [.init(name: "X-Firewall", value: "key")]
        try fixture.append(change("messages", phone: "7", id: "m-1"))
        try fixture.append(change("messages", phone: "8", id: "m-2"))
        try fixture.append(change("other", phone: "8", id: "m-3"))
        try fixture.append(change("calls", phone: "8", id: "m-4"))
        try fixture.append(change("messages", phone: "9", id: "m-5"))
        try fixture.start()
        #expect(try fixture.waitForDelivered(3))
        #expect(crm.requests.flatMap(\.messageIDs) == ["m-1"])
        #expect(Set(fixture.receiver.requests.flatMap(\.messageIDs)) == ["m-2", "m-5"])
        // The firewall's key is for the house it was made for.
        #expect(crm.requests.allSatisfy { $0.headers["x-firewall"] == nil })
        let statistics = try fixture.session.statistics()
        #expect(statistics.count(.dropped) == 1)
        #expect(statistics.count(.deadLetters) == 1)
        #expect(statistics.balances)
        let letter = try #require(
            try fixture.session.deadLetters.list(DeadLetterFilter(), limit: 10).first)
        #expect(letter.reason == "route")
    }

    @Test func `one destination that is down does not hold up another`() throws {
        let down = try TestReceiver { _ in .status(200) }
        down.goDown()
        let fixture = try makeFixture("destination crm \(down.url)\nroute phone=7 crm")
        fixture.settings.policy.attemptsMax = 1
        for number in 1...20 {
            try fixture.append(change("messages", phone: "7", id: "m-\(number)"))
            try fixture.append(change("messages", phone: "8", id: "m-1\(number)"))
        }
        try fixture.start()
        #expect(try fixture.waitForDelivered(20))
        #expect(fixture.receiver.requests.count == 20)
        let state = fixture.registry.gauge(
            "workers_forward_breaker_state", help: "",
            labels: ["destination": "default", "state": "closed"])
        #expect(state.value == 1)
        try down.comeBack()
        #expect(try fixture.waitForDelivered(40))
        #expect(down.requests.flatMap(\.messageIDs) == (1...20).map { "m-\($0)" })
    }

    @Test func `what waited for a destination that is gone goes to the default`() throws {
        let down = try TestReceiver { _ in .status(200) }
        down.goDown()
        let fixture = try makeFixture("destination crm \(down.url)\nroute phone=7 crm")
        for number in 1...3 {
            try fixture.append(change("messages", phone: "7", id: "m-\(number)"))
        }
        try fixture.start()
        #expect(waitUntil { (try? fixture.session.statistics().count(.waiting)) == 3 })
        fixture.stop()
        fixture.settings.routes = nil
        try fixture.start()
        #expect(try fixture.waitForDelivered(3))
        #expect(
            fixture.receiver.requests.flatMap(\.messageIDs) == ["m-1", "m-2", "m-3"])
    }
}
