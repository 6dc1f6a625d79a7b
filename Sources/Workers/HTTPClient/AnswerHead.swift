/// The head of an answer, as far as the client needs it.
struct AnswerHead: Sendable {
    /// How the end of the body is known (RFC 9112, 6.3).
    enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
        case untilEnd
    }

    /// Kept of a value; a date is shorter.
    static let valueByteCountMax = 256

    private(set) var status = 0
    private(set) var keepsConnection = false
    private(set) var retryAfter: String?
    private(set) var contentType: String?
    private var length: Int?
    private var isChunked = false

    var framing: Framing {
        if isChunked { return .chunked }
        return length.map(Framing.length) ?? .untilEnd
    }

    /// Nothing yet.
    init() {}

    /// Reads status line and fields, each with its line end, without the empty line.
    ///
    /// - Returns: nil for what breaks the rules: bare line ends, folded lines, spaces before a
    ///   colon, control characters, two lengths, a length beside a coding, another coding.
    init?(_ bytes: ArraySlice<UInt8>) {
        var isFirst = true
        var isVersion1 = false
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            guard line.last == 13, !line.dropLast().contains(13) else { return nil }
            let text = line.dropLast()
            if isFirst {
                guard let version = readStatus(text) else { return nil }
                isVersion1 = version == 1
                keepsConnection = isVersion1
                isFirst = false
            } else {
                guard readField(text) else { return nil }
            }
        }
        guard !isFirst, !(isChunked && (length != nil || !isVersion1)) else { return nil }
    }

    /// - Returns: the minor version.
    private mutating func readStatus(_ line: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(line)
        guard bytes.count >= 12, bytes.starts(with: Array("HTTP/1.".utf8)),
            bytes[7] == 48 || bytes[7] == 49, bytes[8] == 32,
            bytes.count == 12 || bytes[12] == 32
        else { return nil }
        let digits = bytes[9..<12]
        guard digits.allSatisfy({ (48...57).contains($0) }), (49...53).contains(bytes[9]) else {
            return nil
        }
        status = digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        return Int(bytes[7]) - 48
    }

    private mutating func readField(_ line: ArraySlice<UInt8>) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(Self.isToken)
        else { return false }
        let value = Self.trimmed(line[line.index(after: colon)...])
        guard value.allSatisfy({ ($0 >= 32 && $0 != 127) || $0 == 9 }) else { return false }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        switch name {
        case "content-length":
            guard let count = Self.number(value), length == nil || length == count else {
                return false
            }
            length = count
        case "transfer-encoding":
            guard !isChunked, Self.text(value).lowercased() == "chunked" else { return false }
            isChunked = true
        case "connection":
            let options = Self.text(value).lowercased().split(separator: ",")
            if options.contains(where: { $0.drop { $0 == " " }.hasPrefix("close") }) {
                keepsConnection = false
            }
        case "retry-after":
            retryAfter = retryAfter ?? Self.text(value)
        case "content-type":
            contentType = contentType ?? Self.text(value)
        default:
            break
        }
        return true
    }

    private static func text(_ value: ArraySlice<UInt8>) -> String {
        String(decoding: value.prefix(valueByteCountMax), as: UTF8.self)
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value.drop { $0 == 32 || $0 == 9 }
        while let last = value.last, last == 32 || last == 9 { value = value.dropLast() }
        return value
    }

    /// Digits alone, so many that nothing overflows.
    private static func number(_ value: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(value.count) else { return nil }
        var number = 0
        for byte in value {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int(byte) - 48
        }
        return number
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
