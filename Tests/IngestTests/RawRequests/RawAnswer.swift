/// One answer as it came, checked for everything that RFC 9110 and 9112 ask of a server.
struct RawAnswer: Equatable {
    var status = 0
    var fields: [String: String] = [:]
    var body = ""
    /// What is wrong with it; empty where nothing is.
    var faults: [String] = []

    var closes: Bool { fields["connection"]?.lowercased() == "close" }

    /// Takes the first answer off `bytes`.
    ///
    /// The answer to HEAD, `isHead`, has a length and no body.
    ///
    /// - Returns: nil where it is not complete.
    static func take(from bytes: inout [UInt8], isHead: Bool = false) -> RawAnswer? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard let headEnd = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            return nil
        }
        var answer = RawAnswer(head: String(decoding: bytes[..<headEnd], as: UTF8.self))
        let length = isHead ? 0 : answer.fields["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= headEnd + 4 + length else { return nil }
        let body = bytes[(headEnd + 4)..<(headEnd + 4 + length)]
        answer.body = String(decoding: body, as: UTF8.self)
        bytes.removeFirst(headEnd + 4 + length)
        answer.check()
        return answer
    }

    private init(head: String) {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        if words.count == 3, words[0] == "HTTP/1.1", words[1].count == 3 {
            status = Int(words[1]) ?? 0
        }
        if status == 0 { faults.append("a status line like \(lines[0])") }
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[1].first == " ", !parts[0].contains(" ") else {
                faults.append("a field like \(line)")
                continue
            }
            let name = parts[0].lowercased()
            if fields[name] != nil { faults.append("\(name) twice") }
            fields[name] = String(parts[1].dropFirst())
        }
    }

    private mutating func check() {
        if status < 200 {
            // RFC 9110, 8.6 and 15.2: neither a length nor a body.
            if !fields.isEmpty { faults.append("an interim answer with fields") }
            return
        }
        if fields["transfer-encoding"] != nil { faults.append("a coding that was not asked for") }
        if fields["content-length"].flatMap({ Int($0) }) == nil { faults.append("no length") }
        if fields["date"].map(Self.isDate) != true { faults.append("no date") }
        if fields["server"] != nil { faults.append("the server's name") }
        if !body.isEmpty, fields["content-type"] == nil { faults.append("no content type") }
        for (statuses, field) in [
            ([405], "allow"), ([503], "retry-after"), ([401], "www-authenticate"),
        ] where statuses.contains(status) && fields[field] == nil {
            faults.append("no \(field)")
        }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func isDate(_ text: String) -> Bool {
        let form = "Aaa, 00 Aaa 0000 00:00:00 GMT"
        return text.count == form.count
            && zip(text, form).allSatisfy { letter, expected in
                switch expected {
                case "0": letter.isWholeNumber
                case "A", "a": letter.isLetter
                default: letter == expected
                }
            }
    }
}
