extension Rule {
    static let fileLength = Rule(name: "a Swift file has at most 400 lines") { file in
        let count = file.text.utf8.count { $0 == UInt8(ascii: "\n") }
        guard file.isSwift, count > 400 else { return [] }
        return [Finding(path: file.path, line: 400, message: "\(count) lines, at most 400")]
    }

    static let lineLength = Rule(name: "a line has at most 100 columns") { file in
        guard file.isSwift || file.path.hasSuffix(".sql") else { return [] }
        return file.lines.enumerated().filter { $0.element.count > 100 }.map {
            let message = "\($0.element.count) columns, at most 100"
            return Finding(path: file.path, line: $0.offset + 1, message: message)
        }
    }

    static let functionLength = Rule(name: "a function has at most 60 lines") { file in
        guard file.isSwift else { return [] }
        return functionLengths(in: SwiftText(file.text).code).filter { $0.lineCount > 60 }.map {
            let message = "a function of \($0.lineCount) lines, at most 60"
            return Finding(path: file.path, line: $0.line, message: message)
        }
    }

    /// The first line and the length of each function that has a body, nested ones included.
    private static func functionLengths(in code: [UInt8]) -> [(line: Int, lineCount: Int)] {
        var lengths: [(line: Int, lineCount: Int)] = []
        var line = 1
        for offset in code.indices {
            if code[offset] == UInt8(ascii: "\n") { line += 1 }
            guard isDeclaration(code, at: offset), let body = bodyStart(code, after: offset) else {
                continue
            }
            let end = matchingBrace(code, from: body)
            let lineEnds = code[offset..<end].count { $0 == UInt8(ascii: "\n") }
            lengths.append((line, lineEnds + 1))
        }
        return lengths
    }

    private static func isDeclaration(_ code: [UInt8], at offset: Int) -> Bool {
        word("func", in: code, at: offset) || word("init", in: code, at: offset)
            || word("deinit", in: code, at: offset) || word("subscript", in: code, at: offset)
    }

    /// Where the body's brace is; nil for a requirement of a protocol, or a call of `.init`.
    private static func bodyStart(_ code: [UInt8], after offset: Int) -> Int? {
        var depth = 0
        for index in offset + 4..<code.count {
            switch code[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return index
            case UInt8(ascii: "}") where depth == 0: return nil
            default: break
            }
            if depth < 0 { return nil }
            if depth == 0, isDeclaration(code, at: index) || word("var", in: code, at: index) {
                return nil
            }
        }
        return nil
    }

    private static func matchingBrace(_ code: [UInt8], from start: Int) -> Int {
        var depth = 0
        for index in start..<code.count {
            if code[index] == UInt8(ascii: "{") { depth += 1 }
            if code[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return code.count
    }

    private static func word(_ word: StaticString, in code: [UInt8], at offset: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard offset + count < code.count, code[offset] == word.utf8Start[0] else { return false }
        let isWord = (0..<count).allSatisfy { code[offset + $0] == word.utf8Start[$0] }
        let before = offset == 0 ? UInt8(ascii: " ") : code[offset - 1]
        return isWord && !isNamePart(before) && before != UInt8(ascii: ".")
            && !isNamePart(code[offset + count])
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "`"): true
        default: byte >= 0x80
        }
    }
}
