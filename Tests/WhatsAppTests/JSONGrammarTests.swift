import Foundation
import TestSupport
import Testing

@testable import WhatsApp

@Suite struct JSONGrammarTests {
    /// Scans a text.
    ///
    /// - Returns: why it is refused, nil where it is JSON.
    private static func fault(in bytes: [UInt8]) -> UnparseableReason? {
        var tape = JSONTape()
        return bytes.withUnsafeBufferPointer { bytes in
            do throws(UnparseableReason) {
                try JSONScanner.scan(bytes, into: &tape)
                return nil
            } catch {
                return error
            }
        }
    }

    private static func fault(in text: String) -> UnparseableReason? {
        fault(in: Array(text.utf8))
    }

    static let valid = [
        "{}", "[]", "null", "true", "false", "0", "\"\"", " \t\r\n{} \t\r\n",
        "-0", "0.0", "-1.5", "10", "123456789012345678901234567890", "1e5", "1E+5", "2.5e-300",
        "[1,2,[3,[]],{\"a\":{}}]", "{\"a\":1,\"a\":2}", "{\"\":\"\"}", "[ 1 , 2 ]",
        "{ \"a\" : 1 , \"b\" : [ ] }", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
        "\"\\uD83D\\uDE00\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\"", "\"\\uDE00\"",
        "\"\\uD83D\\uD83D\"", "\"\\uD83Dx\"", "\"\\uD83D\\n\"", "\"é€😀\"", "\"\u{7F}\"",
        "\"\u{2028}\u{FEFF}\u{10FFFF}\"", "[\"]\"]", "{\"}\":\"{\"}", "\"\\\\\"",
    ]

    @Test(arguments: valid)
    func `what RFC 8259 allows is accepted`(text: String) {
        #expect(Self.fault(in: text) == nil)
    }

    static let invalid: [(String, UnparseableReason)] = [
        ("", .truncated), (" \n", .truncated), ("{", .truncated), ("[", .truncated),
        ("[1", .truncated), ("[1,", .truncated), ("{\"a\"", .truncated), ("{\"a\":", .truncated),
        ("{\"a\":1", .truncated), ("{\"a\":1,", .truncated), ("\"abc", .truncated),
        ("\"\\", .truncated), ("\"\\u12", .truncated), ("-", .truncated), ("1e", .truncated),
        ("1.", .truncated), ("tru", .truncated),
        ("[1,]", .syntax), ("[,1]", .syntax), ("[1 2]", .syntax), ("{\"a\":1,}", .syntax),
        ("{,}", .syntax), ("{a:1}", .syntax), ("{'a':1}", .syntax), ("{\"a\" 1}", .syntax),
        ("{\"a\":}", .syntax), ("{1:1}", .syntax), ("[1}", .syntax), ("{\"a\":1]", .syntax),
        ("True", .syntax), ("nul1", .syntax), ("NaN", .syntax), ("Infinity", .syntax),
        ("+1", .syntax), (".5", .syntax), ("-a", .syntax), ("[01]", .syntax), ("[-01]", .syntax),
        ("1.e5", .syntax), ("1.5.5", .trailingBytes), ("0x10", .trailingBytes), ("[1e+]", .syntax),
        ("// c\n{}", .syntax), ("{}/**/", .trailingBytes), ("{}{}", .trailingBytes),
        ("{} x", .trailingBytes), ("{}\u{0}", .trailingBytes), ("\u{A0}{}", .syntax),
        ("\u{B}{}", .syntax), ("\u{C}{}", .syntax), ("\u{0}", .syntax), ("]", .syntax),
        ("\u{FEFF}{}", .byteOrderMark),
        ("\"a\nb\"", .controlCharacter), ("\"\t\"", .controlCharacter),
        ("\"\u{0}\"", .controlCharacter), ("{\"a\u{1F}\":1}", .controlCharacter),
        ("\"\\x41\"", .badEscape), ("\"\\'\"", .badEscape), ("\"\\U0041\"", .badEscape),
        ("\"\\u12G4\"", .badEscape), ("\"\\u 123\"", .badEscape), ("\"\\a\"", .badEscape),
        ("\"\\uD83D\\u12\"    ", .badEscape), ("\"\\\n\"", .badEscape),
    ]

    @Test(arguments: invalid)
    func `what RFC 8259 forbids is refused, and said why`(
        text: String, reason: UnparseableReason
    ) {
        #expect(Self.fault(in: text) == reason)
    }

    @Test func `a text cut anywhere is refused`() {
        let body = WebhookFixture.webhook(
            WebhookFixture.change(WebhookFixture.messages(WebhookFixture.message()))
        )
        let bytes = Array(body.utf8)
        for count in 0..<bytes.count {
            #expect(Self.fault(in: Array(bytes[..<count])) != nil)
        }
        #expect(Self.fault(in: bytes) == nil)
    }

    @Test func `each byte stands alone in a string exactly where it may`() {
        for byte in UInt8.min...UInt8.max {
            let isAllowed = 0x20...0x7F ~= byte && byte != ASCII.quote && byte != ASCII.backslash
            let text = [ASCII.quote, byte, ASCII.quote]
            #expect((Self.fault(in: text) == nil) == isAllowed, "byte \(byte)")
        }
    }

    /// Sequences at and beside every border of the table, judged by the standard library.
    @Test func `bytes above 0x7F are accepted exactly where they are UTF-8`() {
        let borders: [UInt8] = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var disagreements: [[UInt8]] = []
        for lead in UInt8(0x80)...0xFF {
            for second in borders {
                for third in borders {
                    for fourth in borders {
                        for count in 1...4 {
                            let bytes = Array([lead, second, third, fourth][..<count])
                            let isText = String(validating: bytes, as: UTF8.self) != nil
                            let isPlain = !bytes.contains { $0 < 0x20 }
                            let fault = Self.fault(in: [ASCII.quote] + bytes + [ASCII.quote])
                            if (fault == nil) != (isText && isPlain) { disagreements.append(bytes) }
                        }
                    }
                }
            }
        }
        #expect(disagreements.isEmpty, "\(disagreements.prefix(5))")
    }

    @Test func `64 levels are read and 65 are refused`() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = open == "[" ? "" : "1"
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + inner
                    + String(repeating: close, count: depth)
            }
            #expect(Self.fault(in: nested(64)) == nil)
            #expect(Self.fault(in: nested(65)) == .tooDeep)
        }
    }

    @Test func `a million open brackets are refused at the 65th`() {
        #expect(Self.fault(in: [UInt8](repeating: ASCII.openBracket, count: 1_000_000)) == .tooDeep)
        let objects = String(repeating: "{\"a\":", count: 200_000)
        #expect(Self.fault(in: objects) == .tooDeep)
    }

    /// Foundation is laxer than we are, so only what we accept is compared.
    @Test func `whatever is accepted another parser accepts too`() {
        var generator = SeededGenerator.announced("grammar")
        var generated = BodyGenerator(generator: generator)
        var acceptedCount = 0
        for _ in 0..<3_000 {
            var bytes = Array(generated.body().utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: at)
                default: bytes.insert(bytes.randomElement(using: &generator) ?? 0, at: at)
                }
            }
            guard Self.fault(in: bytes) == nil else { continue }
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            // Foundation refuses half a surrogate pair, which is grammar.
            if text.contains("\\ud") { continue }
            // And numbers that no Double holds: a mutation may turn a digit into an `e`.
            if text.contains(/[0-9]e[+-]?[0-9]{3}/) { continue }
            acceptedCount += 1
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(bytes)) }
        }
        #expect(acceptedCount > 500)
    }
}

@Suite struct JSONTapeTests {
    @Test func `nodes are the bytes of each value, in text order`() throws {
        let text = Array(#" {"a": [1, "x\n"], "\u0061" :{"b":null}} "#.utf8)
        try text.withUnsafeBufferPointer { bytes in
            var tape = JSONTape()
            try JSONScanner.scan(bytes, into: &tape)
            let texts = tape.nodes.map {
                String(decoding: bytes[Int($0.start)..<Int($0.end)], as: UTF8.self)
            }
            #expect(
                texts == [
                    #"{"a": [1, "x\n"], "\u0061" :{"b":null}}"#, #""a""#, #"[1, "x\n"]"#, "1",
                    #""x\n""#, #""\u0061""#, #"{"b":null}"#, #""b""#, "null",
                ]
            )
            #expect(tape.nodes.map(\.next) == [9, 2, 5, 4, 5, 6, 9, 8, 9])
            #expect(tape.hasWhiteSpace)
        }
    }

    @Test func `a tape is used again without what was on it`() throws {
        var tape = JSONTape()
        try Array(#"[ "\ud800", 1, 2, 3]"#.utf8).withUnsafeBufferPointer {
            try JSONScanner.scan($0, into: &tape)
        }
        #expect(tape.loneSurrogates == [3] && tape.hasWhiteSpace && tape.nodes.count == 5)
        try Array("[]".utf8).withUnsafeBufferPointer { try JSONScanner.scan($0, into: &tape) }
        #expect(tape.loneSurrogates.isEmpty && !tape.hasWhiteSpace && tape.nodes.count == 1)
    }

    @Test func `levels that nobody asks for leave no nodes`() throws {
        let text = String(repeating: "[", count: 20) + "1" + String(repeating: "]", count: 20)
        var tape = JSONTape()
        try Array(text.utf8).withUnsafeBufferPointer { try JSONScanner.scan($0, into: &tape) }
        #expect(tape.nodes.count == JSONScanner.recordedDepthMax + 1)
    }

    @Test(arguments: [
        (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u0041\u00e9\u20ac"#, "Aé€"),
        (#"\ud83d\ude00x"#, "😀x"), (#"\ud83d"#, "\u{FFFD}"),
        (#"\ude00\ud83dé"#, "\u{FFFD}\u{FFFD}é"),
        (#"\u0000"#, "\u{0}"), ("plain", "plain"), (#"\\u0041"#, #"\u0041"#),
    ])
    func `escapes are decoded`(content: String, text: String) {
        let decoded = Array(content.utf8).withUnsafeBufferPointer(JSONText.decode)
        #expect(String(decoding: decoded, as: UTF8.self) == text)
    }

    @Test func `every known key is found by its name and by nothing else`() {
        for key in KnownKey.allCases {
            let name = Array("\(key.name)".utf8)
            #expect(name.withUnsafeBufferPointer { KnownKey(name: $0) } == key)
            #expect((name + [0x5F]).withUnsafeBufferPointer { KnownKey(name: $0) } == nil)
        }
        #expect([UInt8]().withUnsafeBufferPointer { KnownKey(name: $0) } == nil)
    }
}
