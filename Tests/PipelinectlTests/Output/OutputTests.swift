import Base
import Foundation
import Testing

@testable import pipelinectl

@Suite struct JSONValueTests {
    @Test func `keys keep their order and values their kind`() {
        let value: JSONValue = [
            "z": 1, "a": nil, "list": [true, "x", [:]], "number": .int(-5), "empty": [],
        ]
        #expect(
            value.text == #"{"z":1,"a":null,"list":[true,"x",{}],"number":-5,"empty":[]}"#)
    }

    @Test func `every character comes back as it was`() throws {
        var text = ""
        for code in Array(0...0x3000) + [0xFEFF, 0xFFFD, 0x1F600, 0x10FFFF] {
            if let scalar = Unicode.Scalar(UInt32(code)) { text.unicodeScalars.append(scalar) }
        }
        let written = JSONValue.array([.string(text)]).text
        let read = try JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String]
        #expect(read?.first.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
    }

    @Test func `no character that acts on a terminal is written as it is`() {
        let written = JSONValue.string("\u{1B}[2J\u{9B}1m\u{202E}\u{7F}\r\n\t\u{8}\"\\").text
        #expect(written == #""\u001b[2J\u009b1m\u202e\u007f\r\n\t\u0008\"\\""#)
    }

    @Test func `a single thing in a pipe is a line for each value`() {
        let value: JSONValue = [
            "id": 3, "log": ["lag": 0, "oldest": nil], "list": ["a", "b"], "text": "a\tb\nc",
            "is": true,
        ]
        #expect(
            value.plainLines
                == "id\t3\nlog.lag\t0\nlog.oldest\t\nlist.0\ta\nlist.1\tb\n"
                + "text\ta\\tb\\nc\nis\ttrue\n"
        )
    }
}

@Suite struct HumaneTests {
    private let now = Timestamp(seconds: 1_000_000_000)

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_234, "-1,234"),
        (100_000, "100,000"),
    ])
    func `counts have their thousands apart`(number: Int, text: String) {
        #expect(Humane.count(number) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_280, "1.3 KiB"), (10_240, "10 KiB"),
        (1_048_575, "1 MiB"), (1_048_576, "1 MiB"), (12_582_912, "12 MiB"),
        (1_073_741_824, "1 GiB"), (Int.max, "8 EiB"),
    ])
    func `sizes are short`(bytes: Int, text: String) {
        #expect(Humane.size(bytes) == text)
    }

    @Test(arguments: [
        (0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (1_250, "1.3 s"), (59_999, "60 s"),
        (60_000, "1 min"), (125_000, "2 min 5 s"), (11_040_000, "3 h 4 min"),
        (450_000_000, "5 d 5 h"), (-5, "0 ms"),
    ])
    func `durations are short`(milliseconds: Int, text: String) {
        #expect(Humane.duration(.milliseconds(milliseconds)) == text)
    }

    @Test func `an age is said in whole seconds and more`() {
        #expect(Humane.ago(now, now: now) == "just now")
        #expect(Humane.ago(now - .seconds(45), now: now) == "45 s ago")
        #expect(Humane.ago(now - .seconds(7_500), now: now) == "2 h 5 min ago")
        #expect(Humane.ago(now + .seconds(5), now: now) == "in the future")
        #expect(Humane.age(since: now + .seconds(5), now: now) == "0 s")
    }

    @Test func `one is not many`() {
        #expect(Humane.count(1, "batch", "batches") == "1 batch")
        #expect(Humane.count(2, "batch", "batches") == "2 batches")
        #expect(Humane.count(0, "event") == "0 events")
    }
}

@Suite struct TableTests {
    private let table = Table(
        columns: [.init(title: "ID", isNumber: true), .init(title: "NAME"), .init(title: "WHY")],
        rows: [
            [.init("7"), .init("a\tb", humane: "nice"), .init("")],
            [.init("12", tone: .bad), .init("\u{1B}[31m"), .init("x")],
        ])

    @Test func `a person sees aligned columns under a heading`() {
        #expect(
            table.aligned(colour: false) == """
                ID  NAME        WHY
                 7  nice        -
                12  \\u001b[31m  x

                """)
    }

    @Test func `a program gets exact values with tabs between, and no heading`() {
        #expect(table.plain == "7\ta\\tb\t\n12\t\\u001b[31m\tx\n")
    }

    @Test func `colour is around the text and never inside a hostile value`() {
        let text = table.aligned(colour: true)
        #expect(text.contains("\u{1B}[31m12\u{1B}[0m"))
        #expect(text.contains("\\u001b[31m"))
    }

    @Test func `a long value is cut for people and whole for programs`() {
        let long = String(repeating: "x", count: 60)
        let table = Table(columns: [.init(title: "A")], rows: [[.init(long)]])
        #expect(table.aligned(colour: false) == "A\n" + long.prefix(47) + "…\n")
        #expect(table.plain == long + "\n")
    }
}

@Suite struct ConsoleTests {
    @Test(arguments: [
        (false, [:], Console.Reader.program),
        (true, [:], .person(colour: true)),
        (true, ["NO_COLOR": "1"], .person(colour: false)),
        (true, ["NO_COLOR": ""], .person(colour: true)),
        (true, ["TERM": "dumb"], .person(colour: false)),
        (false, ["TERM": "xterm"], .program),
    ])
    func `colour is for terminals, and never with NO_COLOR`(
        isTerminal: Bool, environment: [String: String], reader: Console.Reader
    ) {
        #expect(Console.reader(isTerminal: isTerminal, environment: environment) == reader)
    }

    @Test func `output that cannot be written is a failure`() {
        let console = Console(reader: .program, output: { _ in false }, error: { _ in true })
        let program = Program(environment: [:], console: console)
        #expect(program.run(["version"]) == ExitCode.failed)
    }
}

@Suite struct HostileTextTests {
    @Test func `everything hidden is written out`() {
        #expect(
            HostileText.line("a\u{1B}]0;x\u{7}\n\t\u{202E}é") == #"a\u001b]0;x\u0007\n\t\u202eé"#)
        #expect(HostileText.lines("a\n\u{1B}\r") == "a\n\\u001b\\u000d")
    }

    @Test func `no control character passes`() {
        for code in (0..<0x20).map({ $0 }) + Array(0x7F...0x9F) {
            let scalar = Unicode.Scalar(UInt32(code)) ?? " "
            #expect(!HostileText.line(String(scalar)).unicodeScalars.contains(scalar))
        }
    }
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 hold both ways`(plain: String, coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded) == Array(plain.utf8))
    }

    @Test func `random bytes come back, as Foundation reads them`() {
        for count in 0...66 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Data(base64Encoded: Base64.encode(bytes)).map { Array($0) } == bytes)
        }
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zh==", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm9*"])
    func `anything else is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}

@Suite struct PrettyJSONTests {
    @Test func `a body is broken into lines, and its strings left alone`() {
        let text = #"{"a":[1,{"b":"x{,:\" [\\"}],"c":{},"d":[ ]}"#
        #expect(
            PrettyJSON.indented(text) == #"""
                {
                  "a": [
                    1,
                    {
                      "b": "x{,:\" [\\"
                    }
                  ],
                  "c": {},
                  "d": []
                }
                """#)
    }

    @Test func `what is no JSON loses nothing but white space`() {
        for text in ["", "}}}]]", #"{"a"#, "hello", "[[[[", #""\"#] {
            let kept = PrettyJSON.indented(text).filter { !$0.isWhitespace }
            #expect(kept == text.filter { !$0.isWhitespace })
        }
    }

    @Test func `deep nesting costs little`() {
        let text = String(repeating: "[", count: 20_000)
        #expect(PrettyJSON.indented(text).utf8.count < 20_000 * 70)
    }
}
