import Foundation

/// The JSON scanner under libFuzzer: what it accepts Foundation reads to the same values.
///
/// Where the two differ by design is told apart by ``Difference``; everything else is a fault.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryScanner(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    var tape = JSONTape()
    let data = Data(buffer: input)
    let value = try? JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed])
    do throws(UnparseableReason) {
        try JSONScanner.scan(input, into: &tape)
    } catch {
        let isByDesign =
            value == nil || error == .tooDeep || error == .byteOrderMark
            || Difference.foundationIsLenient(input)
        require(isByDesign, "what Foundation accepts is refused for a reason")
        return 0
    }
    let document = JSONDocument(bytes: input, tape: tape)
    require(document.range(document.root).upperBound <= count, "values stand inside the text")
    require(document.next(document.root) == tape.nodes.count, "the tape holds one text")
    guard let value else {
        require(
            !tape.loneSurrogates.isEmpty || Difference.scannerIsLenient(input),
            "what is accepted Foundation accepts too")
        return 0
    }
    if tape.loneSurrogates.isEmpty, !Difference.foundationDropsCharacters(data) {
        compare(document, document.root, value, depth: 0)
    }
    return 0
}

/// Walks the tape beside Foundation's tree, as deep as the tape goes.
private func compare(_ document: JSONDocument, _ node: Int, _ value: Any, depth: Int) {
    guard depth < JSONScanner.recordedDepthMax else { return }
    switch document.kind(node) {
    case .object:
        let object = value as? [String: Any]
        require(object != nil, "an object is an object")
        var names: Set<String> = []
        var isPlain = true
        for key in document.keys(of: node) {
            let name = document.withText(of: key) { String(decoding: $0, as: UTF8.self) } ?? ""
            isPlain = names.insert(name).inserted && isPlain
        }
        // Of equal keys Foundation keeps one, and it takes differently composed letters for equal.
        guard isPlain, let object else { return }
        require(names == Set(object.keys), "an object has its keys")
        for key in document.keys(of: node) {
            let name = document.withText(of: key) { String(decoding: $0, as: UTF8.self) } ?? ""
            if let member = object[name] {
                compare(document, document.value(ofKey: key), member, depth: depth + 1)
            }
        }
    case .array:
        let elements = value as? [Any] ?? []
        let nodes = Array(document.elements(of: node))
        require(value is [Any] && nodes.count == elements.count, "an array has its elements")
        for (node, element) in zip(nodes, elements) {
            compare(document, node, element, depth: depth + 1)
        }
    case .string, .key:
        let text = document.withText(of: node) { Array($0) }
        require((value as? String).map { Array($0.utf8) } == text, "a string has its characters")
    case .number:
        require(value is NSNumber, "a number is a number")
    case .literal:
        require(value is NSNull || value is NSNumber, "a literal is a literal")
    }
}

/// Where one of the two readers takes what the other refuses, as found and accepted.
private enum Difference {
    /// Foundation guesses UTF-16 and UTF-32, and forgives a comma before a closing bracket.
    static func foundationIsLenient(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.contains(0) || (text.first ?? 0) >= 0xFE { return true }
        var lastIsComma = false
        for byte in text where byte > ASCII.space {
            if lastIsComma, byte == ASCII.closeBrace || byte == ASCII.closeBracket { return true }
            lastIsComma = byte == ASCII.comma
        }
        return false
    }

    /// Foundation takes a byte order mark at the start of a string away.
    static func foundationDropsCharacters(_ text: Data) -> Bool {
        text.range(of: Data([0xEF, 0xBB, 0xBF])) != nil
            || String(decoding: text, as: UTF8.self).lowercased().contains("\\ufeff")
    }

    /// Numbers stay text in the scanner; Foundation refuses what no Double can hold.
    static func scannerIsLenient(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var digitCount = 0
        for (index, byte) in text.enumerated() {
            let isDigit = ASCII.zero...ASCII.nine ~= byte
            digitCount = isDigit ? digitCount + 1 : 0
            let mayOverflow = index > 0 && byte | 0x20 == UInt8(ascii: "e")
            if digitCount > 18 || (mayOverflow && ASCII.zero...ASCII.nine ~= text[index - 1]) {
                return true
            }
        }
        return false
    }
}
