import Foundation
import WhatsApp

/// One line of `Tests/Fixtures/http`: the bytes of some requests, and what must come of them.
///
/// The language of these lines is described in the folder's README.
struct RawRequestCase: Sendable, CustomStringConvertible {
    /// What an answer must be.
    struct Expected: Equatable, Sendable {
        var status: Int
        var body = ""
    }

    /// How the connection is left.
    enum State: Character, Sendable {
        case open = "+"
        case closed = "-"
        /// The server waits for more of a request.
        case unfinished = "?"
        /// The server waits for a request.
        case idle = "."
    }

    var name: String
    var answers: [Expected]
    var state: State
    var stream: [UInt8]

    var description: String { name }

    /// Webhooks that are stored when the case is played once.
    var storedCount: Int { answers.count { $0.status == 200 && $0.body.isEmpty } }

    /// The cases of one file, or of all.
    static func all(in file: String? = nil) -> [RawRequestCase] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).sorted().filter { $0.hasSuffix(".txt") && file ?? $0 == $0 }
            .flatMap { file -> [RawRequestCase] in
                let text = try? String(
                    contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                return (text ?? "").split(separator: "\n").compactMap {
                    RawRequestCase(line: $0, of: file.dropLast(4))
                }
            }
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/http")

    /// - Returns: nil for a comment.
    private init?(line: Substring, of file: Substring) {
        guard !line.hasPrefix("#") else { return nil }
        let parts = line.split(separator: " :: ", maxSplits: 1)
        let words = parts[0].split(separator: " ", maxSplits: 1)
        precondition(parts.count == 2 && words.count == 2, "not a case: \(line)")
        guard let last = words[0].last, let state = State(rawValue: last) else {
            preconditionFailure("no state: \(line)")
        }
        self.state = state
        name = "\(file): \(words[1])"
        answers = words[0].dropLast().split(separator: ",").map { answer in
            let parts = answer.split(separator: "=", maxSplits: 1)
            guard let status = Int(parts[0]) else { preconditionFailure("no status: \(line)") }
            let body = parts.count > 1 ? RawText.bytes(parts[1]) : []
            return Expected(status: status, body: String(decoding: body, as: UTF8.self))
        }
        stream = RawText.bytes(parts[1])
    }
}

/// Turns the text of a case into bytes.
private enum RawText {
    private static let token = "a+token"
    private static let words: [String: String] = [
        "P": "POST /webhook HTTP/1.1\r\nHost: a\r\n",
        "P0": "POST /webhook HTTP/1.0\r\n",
        "G": "GET /nowhere HTTP/1.1\r\nHost: a\r\n",
        "GET": "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
        "T": "Transfer-Encoding: chunked\r\n",
        "H": "/webhook?hub.mode=subscribe&hub.verify_token=\(token)&hub.challenge=7",
    ]

    static func bytes(_ text: Substring) -> [UInt8] {
        let text = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\\"):
                let (byte, count) = escaped(text, at: index)
                bytes.append(byte)
                index += count
            case UInt8(ascii: "{"):
                let content = self.content(text, from: index + 1)
                if let content, let expanded = expand(content) {
                    bytes += expanded
                    index += content.utf8.count + 2
                } else {
                    bytes.append(text[index])
                    index += 1
                }
            default:
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    private static func escaped(_ text: [UInt8], at index: Int) -> (UInt8, count: Int) {
        switch text[index + 1] {
        case UInt8(ascii: "r"): return (13, 2)
        case UInt8(ascii: "n"): return (10, 2)
        case UInt8(ascii: "t"): return (9, 2)
        case UInt8(ascii: "0"): return (0, 2)
        case UInt8(ascii: "\\"): return (92, 2)
        default:
            let digits = String(decoding: text[(index + 2)..<(index + 4)], as: UTF8.self)
            guard text[index + 1] == UInt8(ascii: "x"), let byte = UInt8(digits, radix: 16) else {
                preconditionFailure("unknown escape \(digits)")
            }
            return (byte, 4)
        }
    }

    /// What stands up to the bracket that closes the one before `start`.
    private static func content(_ text: [UInt8], from start: Int) -> String? {
        var depth = 1
        for index in start..<text.count {
            if text[index] == UInt8(ascii: "{") { depth += 1 }
            if text[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return String(decoding: text[start..<index], as: UTF8.self) }
        }
        return nil
    }

    private static func expand(_ content: String) -> [UInt8]? {
        if let word = words[content] { return Array(word.utf8) }
        let argument = bytes(content.dropFirst(2))
        switch content.prefix(2) {
        case "S:": return Array("X-Hub-Signature-256: \(signature(argument))\r\n".utf8)
        case "s:": return Array(signature(argument).utf8)
        case "W:":
            let head = "Content-Length: \(argument.count)\r\n"
            return Array((words["P"] ?? "").utf8) + Array(head.utf8)
                + Array("X-Hub-Signature-256: \(signature(argument))\r\n\r\n".utf8) + argument
        default: break
        }
        let digits = content.prefix { $0.isWholeNumber }
        guard let count = Int(digits), content.dropFirst(digits.count).first == "x" else {
            return nil
        }
        let repeated = bytes(content.dropFirst(digits.count + 1))
        return Array(repeatElement(repeated, count: count).joined())
    }

    private static func signature(_ body: [UInt8]) -> String {
        SignatureVerifier.sign(body: body, secret: ServerFixture.secret).signature256
    }
}
