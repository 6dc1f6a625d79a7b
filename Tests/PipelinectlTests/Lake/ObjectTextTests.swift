import Foundation
import TestSupport
import Testing

@testable import pipelinectl

@Suite struct ObjectTextTests {
    /// What comes out, line by line, when the bytes come in pieces of `size`.
    private func lines(_ bytes: [UInt8], piece size: Int) -> (lines: [String], text: ObjectText) {
        let text = ObjectText()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece in
                text.feed(piece) { block in
                    #expect(block.last == UInt8(ascii: "\n"))
                    found += String(decoding: block.dropLast(), as: UTF8.self)
                        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                }
            }
        }
        return (found, text)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 100_000])
    func `lines come out as they are, whatever the pieces`(size: Int) {
        let plain = "one\n\ntwo two\n" + String(repeating: "x", count: 500) + "\nlast\n"
        let expected = plain.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        for bytes in [
            Array(plain.utf8), Gzip.member(plain),
            Gzip.member("one\n\ntw")
                + Gzip.member(
                    String(plain.dropFirst(7))),
        ] {
            let (found, text) = lines(bytes, piece: size)
            #expect(found == expected.map(String.init))
            #expect(text.isWhole)
        }
    }

    @Test(arguments: [1, 5, 1_000])
    func `what is cut off is not whole`(size: Int) {
        let member = Gzip.member("one\ntwo\n")
        for bytes in [
            Array("one\ntw".utf8), Array(member.dropLast()), Array(member.dropLast(9)),
            Gzip.member("one\ntw"), [0x1F, 0x8B, 0x08], [0x1F] + Array("no gzip\n".utf8),
            member + [0x1F, 0x00],
        ] {
            #expect(!lines(bytes, piece: size).text.isWhole)
        }
        #expect(lines([], piece: size).text.isWhole)
    }

    @Test func `a line without an end does not fill memory, and those behind it are read`() {
        let endless = [UInt8](repeating: 0x61, count: 17 * 1_048_576)
        let (found, text) = lines(
            Array("one\n".utf8) + endless + Array("\ntwo\n".utf8), piece: 1_048_576)
        #expect(found == ["one", "two"])
        #expect(text.overlongLineCount == 1)
        #expect(text.isWhole)
        #expect(!lines(endless, piece: 1_048_576).text.isWhole)
    }
}
