/// Swift source taken apart just far enough for the rules: code, comments and string contents.
///
/// In `code` the contents of comments, strings and raw identifiers are blanks, and every line
/// stands where it stood. Regular-expression literals are not known; this repository has none.
struct SwiftText {
    private(set) var code: [UInt8] = []
    /// Contents of string literals with the line each begins in; interpolations are left out.
    private(set) var literals: [(line: Int, text: String)] = []

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        code.reserveCapacity(bytes.count)
        scanCode(inInterpolation: false)
    }

    var codeText: String { String(decoding: code, as: UTF8.self) }

    private func peek(_ distance: Int = 0) -> UInt8? {
        offset + distance < bytes.count ? bytes[offset + distance] : nil
    }

    private func isAt(_ text: StaticString) -> Bool {
        (0..<text.utf8CodeUnitCount).allSatisfy { peek($0) == text.utf8Start[$0] }
    }

    /// Moves on by `count` bytes, which stay in `code` or become blanks; line ends always stay.
    private mutating func take(_ count: Int, asBlank: Bool) {
        for _ in 0..<count where offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\n") { line += 1 }
            let keeps = !asBlank || byte == UInt8(ascii: "\n")
            code.append(keeps ? byte : UInt8(ascii: " "))
            offset += 1
        }
    }

    private mutating func scanCode(inInterpolation: Bool) {
        var depth = 0
        while let byte = peek() {
            if isAt("//") {
                while let next = peek(), next != UInt8(ascii: "\n") { take(1, asBlank: true) }
            } else if isAt("/*") {
                scanBlockComment()
            } else if byte == UInt8(ascii: "`") {
                scanRawIdentifier()
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") {
                scanStringOrPound()
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                take(1, asBlank: false)
                if inInterpolation, depth < 0 { return }
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if isAt("/*") {
                depth += 1
                take(2, asBlank: true)
            } else if isAt("*/") {
                depth -= 1
                take(2, asBlank: true)
            } else {
                take(1, asBlank: true)
            }
        } while depth > 0 && offset < bytes.count
    }

    private mutating func scanRawIdentifier() {
        take(1, asBlank: false)
        while let byte = peek(), byte != UInt8(ascii: "`"), byte != UInt8(ascii: "\n") {
            take(1, asBlank: true)
        }
        take(1, asBlank: false)
    }

    private mutating func scanStringOrPound() {
        var pounds = 0
        while peek(pounds) == UInt8(ascii: "#") { pounds += 1 }
        guard peek(pounds) == UInt8(ascii: "\"") else {
            take(max(pounds, 1), asBlank: false)
            return
        }
        take(pounds, asBlank: false)
        let isMultiline = isAt("\"\"\"")
        take(isMultiline ? 3 : 1, asBlank: false)
        scanString(pounds: pounds, isMultiline: isMultiline)
    }

    private mutating func scanString(pounds: Int, isMultiline: Bool) {
        let firstLine = line
        var contents: [UInt8] = []
        let quotes = isMultiline ? 3 : 1
        while let byte = peek() {
            if isRun(of: UInt8(ascii: "\""), quotes, then: pounds, from: 0) {
                take(quotes + pounds, asBlank: false)
                break
            }
            if byte == UInt8(ascii: "\n"), !isMultiline { break }
            if isRun(of: UInt8(ascii: "\\"), 1, then: pounds, from: 0) {
                let isInterpolation = peek(1 + pounds) == UInt8(ascii: "(")
                take(2 + pounds, asBlank: true)
                if isInterpolation { scanCode(inInterpolation: true) }
                continue
            }
            contents.append(byte)
            take(1, asBlank: true)
        }
        literals.append((firstLine, String(decoding: contents, as: UTF8.self)))
    }

    private func isRun(of byte: UInt8, _ count: Int, then pounds: Int, from start: Int) -> Bool {
        (0..<count).allSatisfy { peek(start + $0) == byte }
            && (0..<pounds).allSatisfy { peek(start + count + $0) == UInt8(ascii: "#") }
    }
}
