import Base
import Testing

@testable import WhatsApp

@Suite struct StatusLineReaderTests {
    private func read(_ line: String) -> StatusLineReader.Reading {
        var reader = StatusLineReader()
        return Array(line.utf8).withUnsafeBufferPointer { reader.read($0) }
    }

    private let key = "00112233445566778899aabbccddeeff"

    @Test func `the key that a line was written with is read back`() throws {
        let odd = #"{"event_key":7,"id":"a"}"#
        let body = Array(
            WebhookFixture.webhook(
                WebhookFixture.change(
                    WebhookFixture.statuses(
                        WebhookFixture.status(), #"{ "id" : "\ud83d" }"#, "{}", odd))
            ).utf8)
        var reader = StatusLineReader()
        for status in try split(body).statuses {
            var line: [UInt8] = []
            _ = StatusLine.append(
                status, of: body, receivedAt: Timestamp(rawValue: 0), to: &line)
            let reading = line.dropLast().withUnsafeBufferPointer { reader.read($0) }
            let isOdd = String(decoding: line, as: UTF8.self).contains(#""event_key":7"#)
            #expect(reading == (isOdd ? .unkeyed : .keyed(status.key)))
        }
    }

    @Test func `a line without our key is no error, and one that is no object is`() {
        #expect(read(#"{"event_key":"\#(key)"}"#) != .unkeyed)
        for line in [
            "{}", #"{"event_key":1}"#, #"{"event_key":"\#(key)0"}"#,
            #"{"event_key":"\#(key.uppercased())"}"#,
            #"{"id":"event_key"}"#, #"{"inner":{"event_key":"\#(key)"}}"#,
        ] { #expect(read(line) == .unkeyed, "\(line)") }
        for line in [
            "", " ", "[]", "1", "{", #"{"a":1}}"#, #"{"a":"\ud83d"}"#, "{\"a\":\"\u{1}\"}",
        ] {
            guard case .unreadable = read(line) else {
                Issue.record("read as a line: \(line)")
                continue
            }
        }
    }
}
