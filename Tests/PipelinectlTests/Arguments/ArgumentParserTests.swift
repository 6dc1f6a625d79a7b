import Base
import Testing

@testable import pipelinectl

private let now = Timestamp(rawValue: 1_795_521_600_000)
private let parser = ArgumentParser(commands: CommandList.all.map { $0.specification }, now: now)

private func parsed(_ line: String) throws -> ParsedArguments? {
    let words = line.split(separator: " ").map(String.init)
    guard case .run(let arguments) = try parser.parse(words) else { return nil }
    return arguments
}

private func mistake(_ line: String) -> String? {
    do {
        _ = try parser.parse(line.split(separator: " ").map(String.init))
        return nil
    } catch {
        return error.message
    }
}

@Suite struct ArgumentParserTests {
    private let limit = Flag("limit", .number(1...10_000), help: "")
    private let since = Flag("since", .moment, help: "")
    private let because = Flag("because", .text("TEXT"), help: "")

    @Test(arguments: [
        "dead list --limit 5 --json", "dead list --limit=5 --json", "--json dead list --limit 5",
        "dead --json list --limit 5", "--config x dead list --json --limit 5",
    ])
    func `flags may stand before, between and behind the words of a command`(
        line: String
    ) throws {
        let arguments = try #require(try parsed(line))
        #expect(arguments.specification.name == "dead list")
        #expect(arguments.number(limit) == 5)
        #expect(arguments.has(.json))
    }

    @Test func `operands keep their order, and two dashes end the flags`() throws {
        let arguments = try #require(try parsed("dead replay 3 --json 1 -- 2"))
        #expect(arguments.operands == ["3", "1", "2"])
        let odd = try #require(try parsed("send -- --limit"))
        #expect(odd.operands == ["--limit"])
        let input = try #require(try parsed("send -"))
        #expect(input.operands == ["-"])
    }

    @Test func `moments are read as times, days and ages`() throws {
        let arguments = try #require(try parsed("dead list --since 2h"))
        #expect(arguments.moment(since) == now - .seconds(7_200))
    }

    @Test(arguments: [
        ("stauts", #"there is no command "stauts": did you mean "status"?"#),
        ("dead lsit", #"there is no command "dead lsit": did you mean "dead list"?"#),
        ("dead lst --json", #"there is no command "dead lst": did you mean "dead list"?"#),
        ("dead disc 3", #"there is no command "dead disc": did you mean "dead discard"?"#),
        ("show 3", #"there is no command "show": did you mean "dead show"?"#),
        ("xyzzy", #"there is no command "xyzzy""#),
        ("dead", #""dead" needs one of: list, show, replay, discard"#),
        (
            "dead list --limt 3",
            #""dead list" has no flag "--limt": did you mean "--limit"?"#
        ),
        ("dead list -limit 3", #""dead list" has no flag "-limit": did you mean "--limit"?"#),
        ("dead list --zzz", #""dead list" has no flag "--zzz""#),
        ("dead list --limit", "--limit N: the value is missing"),
        ("dead list --limit --json", "--limit N: the value is missing"),
        ("dead list --config= ", "--config FILE: the value is missing"),
        ("dead list --limit 0", #"--limit "0": expected a whole number, 1 to 10000"#),
        ("dead list --limit 10001", #"--limit "10001": expected a whole number, 1 to 10000"#),
        ("dead list --limit +5", #"--limit "+5": expected a whole number, 1 to 10000"#),
        ("dead list --limit 1 --limit 2", "--limit is given twice"),
        ("dead list --json=yes", "--json takes no value"),
        ("dead list 3", #""3" is one too many"#),
        ("dead show", "ID is missing"),
        ("dead show 1 2", #""2" is one too many"#),
        (
            "dead list --since yesterday",
            "--since \"yesterday\": expected " + MomentText.expected
        ),
        (
            "send --sample txt",
            #"--sample "txt": expected one of text, status, mixed, template: did you mean "text"?"#
        ),
    ])
    func `a mistake is answered with what would be right`(line: String, answer: String) throws {
        let message = try #require(mistake(line))
        if line.hasPrefix("dead") && line.split(separator: " ").count == 1 {
            #expect(message.hasPrefix(answer))
        } else {
            #expect(message == answer)
        }
    }

    @Test func `the bounds of a number are both accepted`() throws {
        #expect(try parsed("dead list --limit 1")?.number(limit) == 1)
        #expect(try parsed("dead list --limit 10000")?.number(limit) == 10_000)
    }

    @Test(arguments: [
        "dead list --help", "dead --help list", "--help dead list", "dead list --limit x -h",
    ])
    func `help is given whatever else is wrong`(line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        guard case .help(let topic) = try parser.parse(words) else {
            Issue.record("no help")
            return
        }
        #expect(topic == ["dead", "list"])
    }

    @Test func `behind two dashes help is an operand`() throws {
        #expect(try parsed("send -- --help")?.operands == ["--help"])
    }

    @Test func `every example of the help is understood`() throws {
        for command in CommandList.all.map({ $0.specification }) {
            for example in command.examples {
                // What the shell puts in place of $(...), and whatever goes to another program.
                let line = example.line.replacing(/\$\([^)]*\)/, with: "x")
                    .prefix { $0 != "|" && $0 != ">" }
                let arguments = try #require(try parsed(unquoted(String(line))), "\(example.line)")
                #expect(arguments.specification.name == command.name)
            }
        }
    }

    /// Blanks inside quotes become underscores.
    private func unquoted(_ line: String) -> String {
        var isQuoted = false
        var result = ""
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else {
                result.append(isQuoted && character == " " ? "_" : character)
            }
        }
        return result
    }

    @Test func `every command has an example, and flags of different names`() {
        for command in CommandList.all.map({ $0.specification }) {
            #expect(!command.examples.isEmpty, "\(command.name)")
            #expect(Set(command.allFlags.map(\.name)).count == command.allFlags.count)
            #expect(!command.summary.hasSuffix("."))
        }
    }

    @Test func `random words never stop the parser`() {
        var generator = SystemRandomNumberGenerator()
        let pieces = ["dead", "list", "--", "--limit", "-", "--json", "=", "5", "", "-x", "help"]
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...6, using: &generator)
            let words = (0..<count).compactMap { _ in pieces.randomElement(using: &generator) }
            _ = try? parser.parse(words)
        }
    }
}

@Suite struct NearestWordTests {
    @Test(arguments: [
        ("list", "list", 0), ("lsit", "list", 1), ("lst", "list", 1), ("listt", "list", 1),
        ("lost", "list", 1), ("", "list", 4), ("kitten", "sitting", 3),
    ])
    func `slips of a hand are counted`(left: String, right: String, count: Int) {
        #expect(NearestWord.distance(left, right) == count)
        #expect(NearestWord.distance(right, left) == count)
    }

    @Test func `a word that is far from all of them has no nearest`() {
        #expect(NearestWord.nearest(to: "banana", among: ["list", "show"]) == nil)
        #expect(NearestWord.nearest(to: "", among: ["list"]) == nil)
        #expect(NearestWord.nearest(to: "list", among: []) == nil)
    }
}

@Suite struct MomentTextTests {
    @Test(arguments: [
        ("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800), ("0s", 0),
    ])
    func `an age counts back from now`(text: String, seconds: Int) {
        #expect(MomentText.moment(text, now: now) == now - .seconds(seconds))
    }

    @Test func `a time is itself, and a day its first moment`() {
        let time = "2026-11-23T18:00:00Z"
        #expect(MomentText.moment(time, now: now) == Timestamp(rfc3339: time))
        #expect(
            MomentText.moment("2026-11-23", now: now)
                == Timestamp(rfc3339: "2026-11-23T00:00:00Z"))
    }

    @Test(arguments: [
        "", "h", "+2h", "-2h", "2", "2x", "2 h", "1.5h", "99999999999999999999d", "2026-13-01",
        "3651d", "yesterday",
    ])
    func `anything else is refused`(text: String) {
        #expect(MomentText.moment(text, now: now) == nil)
    }
}

@Suite struct HelpTextTests {
    private let help = HelpText(commands: CommandList.all.map { $0.specification })

    @Test func `the overview names every command and fits a terminal`() {
        let text = help.text(on: [])
        let words = text.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        for command in CommandList.all {
            #expect(words.contains("\(command.specification.summary) "))
        }
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test func `the help of a command names its flags and examples`() {
        for command in CommandList.all.map({ $0.specification }) {
            let text = help.text(on: command.words)
            for flag in command.allFlags { #expect(text.contains(flag.usage)) }
            for example in command.examples { #expect(text.contains(example.line)) }
        }
    }

    @Test func `the help of a group lists its commands and no others`() {
        let text = help.text(on: ["dead"])
        #expect(text.contains("dead list"))
        #expect(!text.contains("send"))
    }
}
