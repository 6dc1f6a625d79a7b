import TestSupport

/// Makes bodies of every shape from random numbers: mixed, escaped, spaced, keys in any order.
struct BodyGenerator {
    var generator: SeededGenerator

    /// One body that is valid JSON in WhatsApp's envelope, or nearly.
    mutating func body() -> String {
        let object = chance(40) ? string("page") : string("whatsapp_business_account")
        let entries = list(upTo: 3) { $0.entry() }
        return spelled(["object": object, "entry": array(entries)])
    }

    private mutating func entry() -> String {
        if chance(60) { return value() }
        var members = [
            "id": string("waba\(number(3))"), "changes": array(list(upTo: 3) { $0.change() }),
        ]
        if chance(4) { members["time"] = "1764000000" }
        if chance(60) { members["changes"] = value() }
        return spelled(members)
    }

    private mutating func change() -> String {
        if chance(60) { return value() }
        let fields = ["messages", "messages", "messages", "messages", "calls", "account_update"]
        let field = fields.randomElement(using: &generator) ?? "messages"
        return spelled(["field": string(field), "value": chance(40) ? value() : changeValue()])
    }

    private mutating func changeValue() -> String {
        var members: [String: String] = [:]
        if !chance(8) { members["messaging_product"] = string("whatsapp") }
        if !chance(8) {
            members["metadata"] = spelled(["phone_number_id": string("10\(number(3))")])
        }
        if chance(2) { members["contacts"] = array(list(upTo: 3) { $0.contact() }) }
        if chance(2) { members["messages"] = array(list(upTo: 4) { $0.message() }) }
        if chance(2) { members["statuses"] = array(list(upTo: 4) { $0.status() }) }
        if chance(5) { members["errors"] = array(["{\"code\":1}"]) }
        if chance(8) { members["new_key"] = value() }
        if chance(30) { members["statuses"] = value() }
        if chance(30) { members["messages"] = value() }
        return spelled(members)
    }

    private mutating func contact() -> String {
        var members = ["wa_id": string("49\(number(4))"), "profile": spelled(["name": text()])]
        if chance(3) { members["user_id"] = string("US.\(number(4))") }
        return spelled(members)
    }

    private mutating func message() -> String {
        if chance(40) { return value() }
        var members = ["id": string("wamid.\(number(50))"), "text": spelled(["body": text()])]
        if !chance(6) { members["from"] = string("49\(number(4))") }
        if chance(6) { members["from_user_id"] = string("US.\(number(4))") }
        if chance(8) { members["group_id"] = string("g\(number(2))") }
        if !chance(6) { members["timestamp"] = string("17640000\(10 + number(80))") }
        return spelled(members)
    }

    private mutating func status() -> String {
        if chance(40) { return value() }
        let names = ["sent", "delivered", "read", "failed"]
        var members = ["id": string("wamid.\(number(50))")]
        members["status"] = string(names.randomElement(using: &generator) ?? "sent")
        members["recipient_id"] = string("49\(number(4))")
        members["timestamp"] = chance(4) ? "1764000000" : string("1764000000")
        if chance(5) { members["note"] = text() }
        if chance(20) { members["waba_id"] = string("theirs") }
        return spelled(members)
    }

    private mutating func value() -> String {
        let values = [
            "null", "true", "-1.50e+2", "\"\"", "[]", "{}", "[[],{}]", "{\"a\":[1,{\"b\":\"]}\"}]}",
        ]
        return values.randomElement(using: &generator) ?? "null"
    }

    /// A string in which any character may stand, raw or escaped.
    private mutating func text() -> String {
        let pieces = [
            "a", "\\u00e9", "\\/", "\\\"", "\\\\", "é", "😀", "\\ud83d\\ude00", "{", "]", ",", "\\n",
            " ", "\\u003C",
        ]
        return "\"" + list(upTo: 8) { $0.pick(pieces) }.joined() + "\""
    }

    private mutating func pick(_ pieces: [String]) -> String {
        pieces.randomElement(using: &generator) ?? ""
    }

    // MARK: Spelling

    /// A string, now and then with its first character escaped.
    private mutating func string(_ text: String) -> String {
        guard chance(10), let first = text.utf8.first else { return "\"\(text)\"" }
        let digits = String(first, radix: 16)
        return "\"\\u00\(digits.count == 1 ? "0" : "")\(digits)\(text.dropFirst())\""
    }

    private mutating func spelled(_ members: [String: String]) -> String {
        let ordered = members.keys.sorted().shuffled(using: &generator)
        var texts: [String] = []
        for key in ordered {
            texts.append(string(key) + space() + ":" + space() + (members[key] ?? "null"))
        }
        return "{" + joined(texts) + "}"
    }

    private mutating func array(_ elements: [String]) -> String {
        "[" + joined(elements) + "]"
    }

    private mutating func joined(_ texts: [String]) -> String {
        var result = space()
        for (index, text) in texts.enumerated() {
            result += (index == 0 ? "" : "," + space()) + text + space()
        }
        return result
    }

    private mutating func space() -> String {
        chance(12) ? [" ", "\n", "\r\n\t"].randomElement(using: &generator) ?? "" : ""
    }

    private mutating func list(
        upTo count: Int, _ make: (inout BodyGenerator) -> String
    ) -> [String] {
        var elements: [String] = []
        for _ in 0..<Int.random(in: 0...count, using: &generator) { elements.append(make(&self)) }
        return elements
    }

    private mutating func number(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &generator)
    }

    /// True once in `count` times.
    private mutating func chance(_ count: Int) -> Bool { number(count) == 0 }
}
