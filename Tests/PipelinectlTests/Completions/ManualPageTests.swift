import Base
import Foundation
import TestSupport
import Testing

@testable import pipelinectl

@Suite struct ManualPageTests {
    private static func page(in directory: TemporaryDirectory) throws -> String {
        let outcome = CommandRig.run(["help", "--man"])
        #expect(outcome.code == ExitCode.ok)
        let path = directory.file("pipelinectl.1")
        try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Without bold: a letter, a backspace and the letter again, or a colour around it.
    private static func plain(_ output: String) -> String {
        var text = ""
        var isInSequence = false
        for letter in output.unicodeScalars {
            if isInSequence {
                isInSequence = letter != "m"
            } else if letter == "\u{1B}" {
                isInSequence = true
            } else if letter == "\u{8}" {
                text.unicodeScalars.removeLast()
            } else {
                text.unicodeScalars.append(letter)
            }
        }
        return text
    }

    @Test func `mandoc finds nothing wrong with the page`() throws {
        let directory = try TemporaryDirectory()
        let (status, output) = try BuiltProgram.run(
            "/usr/bin/env", ["mandoc", "-Tlint", "-Wstyle", Self.page(in: directory)], in: directory
        )
        #expect(status == 0 && output.isEmpty, "\(output)")
    }

    @Test func `a reader finds every command, flag and example in it`() throws {
        let directory = try TemporaryDirectory()
        let (status, output) = try BuiltProgram.run(
            "/usr/bin/env", ["mandoc", "-Tutf8", "-Owidth=200", Self.page(in: directory)],
            in: directory)
        #expect(status == 0)
        let text = Self.plain(output)
        for command in CommandList.all.map({ $0.specification }) {
            #expect(text.contains("\n   \(command.name)"), "\(command.name)")
            for flag in command.flags { #expect(text.contains(flag.usage), "\(flag.usage)") }
            for example in command.examples {
                #expect(text.contains("pipelinectl " + example.line), "\(example.line)")
            }
        }
    }

    @Test func `groff, which man uses, has no complaint either`() throws {
        let directory = try TemporaryDirectory()
        let (status, output) = try BuiltProgram.run(
            "/usr/bin/env",
            ["man", "--warnings=all", "-E", "UTF-8", "-l", "-Tutf8", Self.page(in: directory)],
            environment: ["MANPAGER": "cat", "LC_ALL": "C.UTF-8"], in: directory)
        #expect(status == 0)
        #expect(!output.contains("warning:") && !output.contains("error:"), "\(output)")
        #expect(Self.plain(output).contains("EXIT STATUS"), "\(output.suffix(600))")
    }
}
