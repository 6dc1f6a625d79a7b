import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct LogTests {
    private static func line(
        _ level: Log.Level = .warning,
        fields: KeyValuePairs<String, LogValue>
    ) -> LogLine {
        LogLine(
            time: Timestamp(rawValue: 1_795_478_399_123), level: level, program: "ingest",
            message: "disk is low", fields: Array(fields)
        )
    }

    @Test func `a line of text`() {
        let line = Self.line(fields: [
            "free": 7, "path": "/var/lib", "share": 0.5, "is_closed": false, "why": "no space left",
            "empty": "",
        ])
        let text =
            "2026-11-23T23:59:59.123Z warning ingest: disk is low free=7 path=/var/lib share=0.5"
            + " is_closed=false why=\"no space left\" empty=\"\"\n"
        #expect(line.rendered(as: .text) == text)
        #expect(line.rendered(as: .journalText) == "<4>" + text)
        #expect(line.rendered(as: .journalJSON) == "<4>" + line.rendered(as: .json))
        let priorities = Log.Level.allCases.map(\.priority)
        #expect(priorities == [7, 6, 5, 4, 3])
    }

    @Test func `a line of JSON`() {
        let line = Self.line(fields: [
            "free": 7, "share": 0.5, "rate": .double(.infinity), "is_closed": true,
            "why": "a \"b\"",
            "time": "now",
        ])
        #expect(
            line.rendered(as: .json)
                == #"{"time":"2026-11-23T23:59:59.123Z","level":"warning","program":"ingest","#
                + #""message":"disk is low","free":7,"share":0.5,"rate":"inf","is_closed":true,"#
                + #""why":"a \"b\"","time_":"now"}"# + "\n"
        )
    }

    @Test(arguments: [
        "a\nb", "a\r\n2026-11-23T23:59:59.123Z error ingest: forged", "\u{85}", "\u{2028}",
        "\u{2029}", "\u{1B}[2K", "\0", "\u{7F}", "\u{202E}", "a\" level=\"error", "x y=z", "\\n",
        String(decoding: [0xFF, 0x0A, 0xC0], as: UTF8.self), "\u{FEFF}",
    ])
    func `a value cannot end, forge or hide a line`(value: String) throws {
        let line = Self.line(fields: ["value": .string(value), "key\nforged": "x"])
        let text = line.rendered(as: .text)
        let json = line.rendered(as: .json)
        for rendered in [text, json] {
            let body = rendered.dropLast()
            #expect(rendered.unicodeScalars.last == "\n")
            #expect(
                body.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
                        && !["\u{2028}", "\u{2029}", "\u{202E}", "\u{FEFF}"].contains($0)
                })
        }
        #expect(text.contains(" value=\""))
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
        let dictionary = try #require(object as? [String: String])
        #expect(dictionary["value"].map { Array($0.unicodeScalars) } == Array(value.unicodeScalars))
        #expect(dictionary.count == 6)
    }

    @Test func `random values come back from JSON as they were`() throws {
        var generator = SeededGenerator.announced("LogTests")
        for _ in 0..<500 {
            var value = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                let width = Int.random(in: 3...20, using: &generator)
                let number = UInt32.random(in: 0..<(1 << width), using: &generator)
                if let scalar = Unicode.Scalar(number) { value.append(scalar) }
            }
            let line = Self.line(fields: ["value": .string(String(value))])
            let json = line.rendered(as: .json)
            #expect(json.utf8.filter { $0 == 0x0A }.count == 1)
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
            let found = (object as? [String: String])?["value"] ?? ""
            #expect(Array(found.unicodeScalars) == Array(value))
            let text = line.rendered(as: .text)
            #expect(text.utf8.filter { $0 == 0x0A }.count == 1)
        }
    }

    @Test func `a long value is cut off, at a character, and says so`() {
        let whole = String(repeating: "é", count: SafeText.byteCountMax / 2)
        for style in [LogLine.Style.text, .json] {
            let fits = Self.line(fields: ["value": .string(whole)]).rendered(as: style)
            #expect(fits.contains(whole) && !fits.contains("…"))
            let cut = Self.line(fields: ["value": .string(whole + "x")]).rendered(as: style)
            #expect(cut.contains(whole + "…\"") && !cut.contains("x"))
        }
    }

    @Test func `auto is text on a terminal and JSON elsewhere`() {
        #expect(LogLine.Style(format: .auto, isTerminal: true, isJournal: false) == .text)
        #expect(LogLine.Style(format: .auto, isTerminal: false, isJournal: false) == .json)
        #expect(LogLine.Style(format: .auto, isTerminal: false, isJournal: true) == .journalJSON)
        #expect(LogLine.Style(format: .text, isTerminal: false, isJournal: false) == .text)
        #expect(LogLine.Style(format: .text, isTerminal: false, isJournal: true) == .journalText)
        #expect(LogLine.Style(format: .json, isTerminal: false, isJournal: true) == .journalJSON)
        #expect(LogLine.Style(format: .json, isTerminal: true, isJournal: false) == .json)
    }

    @Test func `each line is one write, and lines below the level are none`() throws {
        var ends: [Int32] = [-1, -1]
        // Keeps the borders between writes, unlike a pipe.
        socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
        defer { ends.forEach { close($0) } }

        let log = Log(program: "workers", level: .notice, format: .text, descriptor: ends[0])
        log.debug("a debug line")
        log.info("an info line")
        log.notice("a notice", ["value": "a\nb"])
        log.warning("a warning")
        log.error("an error", ["code": 5])
        #expect(log.isEnabled(.notice) && !log.isEnabled(.info))
        let lines = (0..<3).map { _ in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = recv(ends[1], &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return String(decoding: buffer.prefix(max(0, count)).dropFirst(24), as: UTF8.self)
        }
        #expect(
            lines == [
                " notice workers: a notice value=\"a\\nb\"\n", " warning workers: a warning\n",
                " error workers: an error code=5\n",
            ])
        var byte: UInt8 = 0
        #expect(recv(ends[1], &byte, 1, Int32(MSG_DONTWAIT)) == -1)
    }

    @Test func `the journal is known by its device and inode`() throws {
        var ends: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
        defer { ends.forEach { close($0) } }

        var facts = stat()
        fstat(ends[0], &facts)
        let own = "\(facts.st_dev):\(facts.st_ino)"
        #expect(Log.isJournal(ends[0], stream: own))
        #expect(!Log.isJournal(ends[0], stream: own + "1"))
        #expect(!Log.isJournal(ends[0], stream: nil))
        #expect(!Log.isJournal(-1, stream: own))
    }

    @Test func `fields that only the settings name are written alike`() throws {
        var ends: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
        defer { ends.forEach { close($0) } }

        let log = Log(program: "ingest", level: .info, format: .text, descriptor: ends[0])
        log.notice("settings", fields: [("QUEUE_PATH", "a b"), ("X", 2)])
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(ends[1], &buffer, buffer.count, Int32(MSG_DONTWAIT))
        let line = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        #expect(line.hasSuffix(" notice ingest: settings QUEUE_PATH=\"a b\" X=2\n"))
    }

    @Test func `a log that cannot be written stops nobody`() {
        Log(program: "ingest", level: .debug, format: .json, descriptor: -1).error("nobody reads")
        Log.disabled.error("nobody reads")
        #expect(!Log.disabled.isEnabled(.error))
    }
}
