import Base
import Foundation
import TestSupport
import Testing

@testable import WhatsApp

/// What is in a body, read by another parser and told by other code than ours.
struct EventOracle {
    private(set) var lake: [String] = []
    private(set) var php: [String] = []

    init(_ body: some Collection<UInt8>) throws {
        let webhook = try parsed(body) as? [String: Any] ?? [:]
        guard webhook["object"] as? String == "whatsapp_business_account",
            let entries = webhook["entry"] as? [Any]
        else {
            php = [Self.text(webhook)]
            return
        }
        for entry in entries {
            let members = entry as? [String: Any]
            guard let members, let changes = members["changes"] as? [Any] else {
                php.append(Self.text(entry))
                continue
            }
            for change in changes { add(change, Self.text(members["id"] ?? "none")) }
        }
    }

    private mutating func add(_ change: Any, _ account: String) {
        let members = change as? [String: Any] ?? [:]
        guard let field = members["field"] as? String, field == "messages",
            let value = members["value"] as? [String: Any]
        else { return php.append(account + Self.text(change)) }
        let context = account + Self.text(value["metadata"] ?? "none")
        for (key, content) in value {
            let elements = content as? [Any]
            switch (key, elements) {
            case ("messaging_product", _), ("metadata", _), ("contacts", _): break
            case ("statuses", let elements?):
                for element in elements {
                    let text = context + "status" + Self.text(element)
                    if element is [String: Any] { lake.append(text) } else { php.append(text) }
                }
            case ("messages", let elements?):
                php += elements.map { context + "message" + Self.text($0) }
            default: php.append(context + key + Self.text(content))
            }
        }
    }

    private static func text(_ value: Any) -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .fragmentsAllowed]
        let data = try? JSONSerialization.data(withJSONObject: value, options: options)
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "unwritable"
    }
}

@Suite struct PreservationTests {
    @Test(arguments: SplitMode.allCases)
    func `every event of a body arrives once, in its own bytes`(mode: SplitMode) throws {
        var generated = BodyGenerator(generator: .announced("preservation \(mode)"))
        var cutCount = 0
        for _ in 0..<1_500 {
            let body = Array(generated.body().utf8)
            let source = Data(body)
            let webhook = try split(body, mode)
            let expected = try EventOracle(body)
            #expect(webhook.statuses.count == expected.lake.count)
            #expect(webhook.eventCount == expected.php.count)
            #expect(webhook.isEmpty == (expected.lake.isEmpty && expected.php.isEmpty))
            var php: [String] = []
            for part in webhook.parts {
                guard case .cut(let bytes) = part.bytes else {
                    #expect(webhook.parts.count == 1 && webhook.statuses.isEmpty)
                    php = expected.php
                    continue
                }
                cutCount += 1
                let oracle = try EventOracle(bytes)
                #expect(oracle.lake.isEmpty && oracle.php.count == part.events.count)
                php += oracle.php
                try expectOwnBytes(of: bytes, in: source)
            }
            #expect(
                php.sorted() == expected.php.sorted(), "\(String(decoding: body, as: UTF8.self))")
        }
        #expect(cutCount > 300)
    }

    /// Each element, key and context value of a cut body stands in the source byte for byte.
    private func expectOwnBytes(of bytes: [UInt8], in source: Data) throws {
        var tape = JSONTape()
        try bytes.withUnsafeBufferPointer { bytes in
            try JSONScanner.scan(bytes, into: &tape)
            var node = 0
            while node < tape.nodes.count {
                let range = Int(tape.nodes[node].start)..<Int(tape.nodes[node].end)
                // What the cut rebuilds: the envelope down to the arrays of a value.
                let depth = tape.nodes[..<node].count { Int($0.next) > node }
                if depth >= 9 || tape.nodes[node].kind == .string || tape.nodes[node].kind == .key {
                    #expect(source.range(of: Data(bytes[range])) != nil)
                    node = Int(tape.nodes[node].next)
                } else {
                    node += 1
                }
            }
        }
    }

    @Test func `every line is the status with our keys, whatever its spelling`() throws {
        var generated = BodyGenerator(generator: .announced("lines"))
        var lineCount = 0
        let bodyCount = EnvironmentNumber.read("LINE_BODIES", otherwise: 2_000)
        for _ in 0..<bodyCount {
            let body = Array(generated.body().utf8)
            for status in try split(body).statuses {
                var line: [UInt8] = []
                let isReplaced = StatusLine.append(
                    status, of: body, receivedAt: Timestamp(rawValue: 0), to: &line
                )
                #expect(!isReplaced && line.last == 0x0A && line.count { $0 < 0x20 } == 1)
                let object = try #require(try parsed(line) as? [String: NSObject])
                let original = try #require(try parsed(body[status.object]) as? [String: NSObject])
                #expect(object.filter { original[$0.key] != nil } == original)
                // Escapes included: the status's own bytes end the line, less its white space.
                let own = Self.withoutSpace(body[status.object]).dropFirst()
                #expect(line.dropLast().suffix(own.count).elementsEqual(own))
                let added = Set(object.keys).subtracting(original.keys)
                #expect(added.isSuperset(of: ["event_key", "received_at"]))
                lineCount += 1
            }
        }
        #expect(lineCount > 500)
        print("lines: \(lineCount) of \(bodyCount) bodies")
    }

    /// JSON without the white space between its tokens.
    private static func withoutSpace(_ json: ArraySlice<UInt8>) -> [UInt8] {
        var (text, isInString, isEscaped) = ([UInt8](), false, false)
        for byte in json {
            if isInString || byte > 0x20 { text.append(byte) }
            if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
            isEscaped = isInString && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return text
    }

    @Test func `dropping any events leaves the others, and nothing else`() throws {
        var generator = SeededGenerator.announced("dropping")
        var generated = BodyGenerator(generator: generator)
        for _ in 0..<1_000 {
            let body = Array(generated.body().utf8)
            let events = try split(body).parts.flatMap(\.events)
            let had = Set(events.compactMap(\.key).filter { _ in Bool.random(using: &generator) })
            let left = try split(body, dropping: had)
            var seen = had
            let expected = events.filter { $0.key.map { seen.insert($0).inserted } ?? true }
            let kept = left.parts.flatMap(\.events)
            #expect(Set(kept.compactMap(\.key)) == Set(expected.compactMap(\.key)))
            #expect(kept.count == expected.count && left.droppedCount == events.count - kept.count)
            #expect(left.parts.allSatisfy { !$0.events.isEmpty })
        }
    }
}
