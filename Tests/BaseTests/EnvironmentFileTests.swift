import TestSupport
import Testing

@testable import Base

@Suite struct EnvironmentFileTests {
    private static func values(_ text: String) -> [String] {
        let file = EnvironmentFile(Array(text.utf8))
        #expect(file.problems == [])
        return file.assignments.map { "\($0.name)=\($0.value)" }
    }

    @Test(arguments: [
        ("A=1", ["A=1"]),
        ("A=1\nB=2\n", ["A=1", "B=2"]),
        ("A=1\r\nB=2\r\n", ["A=1", "B=2"]),
        ("\n\n  \t\n# x\n; y\n  # z\nA=1\n#", ["A=1"]),
        ("  A  =  1  ", ["A=1"]),
        ("A=", ["A="]),
        ("A=\nB=", ["A=", "B="]),
        ("A=a b  c ", ["A=a b  c"]),
        ("A=a # no comment", ["A=a # no comment"]),
        ("A=a=b", ["A=a=b"]),
        ("A='a b' ", ["A=a b"]),
        ("A=\"a b\"", ["A=a b"]),
        ("A='a\\nb\"'", ["A=a\\nb\""]),
        ("A=\"a\\\"b\\\\c\\$d\\`e\\nf\"", ["A=a\"b\\c$d`e\\nf"]),
        ("A=\"a\nb\"\nB=1", ["A=a\nb", "B=1"]),
        ("A=\"a\\\nb\"", ["A=ab"]),
        ("A=a\\\nb", ["A=ab"]),
        ("A=a\\\r\nb", ["A=ab"]),
        ("A=a\\ \nB=1", ["A=a ", "B=1"]),
        ("A=a\\nb", ["A=anb"]),
        ("A='a'\"b\"", ["A=ab"]),
        ("A=a'b'", ["A=a'b'"]),
        ("A=''", ["A="]),
        ("A=a\\", ["A=a"]),
        ("_a9=ü€", ["_a9=ü€"]),
    ])
    func `what systemd understands`(text: String, expected: [String]) {
        #expect(Self.values(text) == expected)
    }

    @Test(arguments: [
        ("A=1\nB\nC=3", 2, "expected KEY=VALUE"),
        ("A=1\n\n# x\nexport B=2\nC=3", 4, "\"export B\" is no name, expected KEY=VALUE"),
        ("A=1\n9B=2\nC=3", 2, "\"9B\" is no name, expected KEY=VALUE"),
        ("A=1\n=2\nC=3", 2, "\"\" is no name, expected KEY=VALUE"),
        ("A=1\nB=\"x\nC=3", 2, "the quote is not closed"),
        ("A=1\nB='x\nC=3", 2, "the quote is not closed"),
        ("A=1\nB=\"x\\", 2, "the quote is not closed"),
        ("A=1\nB='x' y\nC=3", 2, "text after the closing quote"),
        ("A=1\nC=3\nA=2", 3, "A is given again, first in line 1"),
        ("A=1\nB=\0\nC=3", 2, "the value of B is not UTF-8 text"),
        ("A=1\nB\u{1B}=2\nC=3", 2, "\"B\\u001b\" is no name, expected KEY=VALUE"),
    ])
    func `a bad line is named, and the lines around it are read`(
        text: String, line: Int, reason: String
    ) {
        let file = EnvironmentFile(Array(text.utf8))
        #expect(file.problems == [EnvironmentFile.Problem(line: line, reason: reason)])
        #expect(file.assignments.first?.name == "A")
        #expect(file.assignments.contains { $0.name == "C" } == text.contains("C=3"))
    }

    @Test func `lines are counted through quotes and continuations`() {
        let file = EnvironmentFile(Array("A='\n\n'\nB=1\\\n2\nC=\"\\\n\"\nD=4\n".utf8))
        #expect(file.assignments.map(\.line) == [1, 4, 6, 8])
    }

    @Test func `bytes that are no text are a problem and shown nowhere`() {
        let file = EnvironmentFile(Array("A=s3cret".utf8) + [0xFF, 0x0A] + Array("B=1".utf8))
        #expect(file.problems.map(\.line) == [1])
        #expect(!"\(file.problems)".contains("s3cret"))
        #expect(file.assignments.map(\.name) == ["B"])
    }

    @Test func `random bytes neither trap nor hang`() {
        var generator = SeededGenerator.announced("EnvironmentFileTests")
        let alphabet = Array("AB=='\"\\\n\r #;\0\t".utf8) + [0xFF]
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...30, using: &generator)
            let bytes = (0..<count).map { _ in
                alphabet[Int.random(in: alphabet.indices, using: &generator)]
            }
            let file = EnvironmentFile(bytes)
            #expect(file.assignments.count + file.problems.count <= count)
        }
    }
}
