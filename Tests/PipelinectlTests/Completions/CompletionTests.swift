import Base
import Foundation
import TestSupport
import Testing

@testable import pipelinectl

/// The scripts, in the shells they are for.
@Suite struct CompletionTests {
    /// What is typed, what must be offered, and what must not.
    struct Case: Sendable, CustomTestStringConvertible {
        let typed: String
        let offered: [String]
        var missing: [String] = []

        var testDescription: String { typed }
    }

    static let cases = [
        Case(typed: "pipelinectl ", offered: ["status", "top", "dead", "lookup", "check"]),
        Case(typed: "pipelinectl sta", offered: ["status"], missing: ["top", "dead"]),
        Case(typed: "pipelinectl dead ", offered: ["list", "show", "replay"], missing: ["status"]),
        Case(typed: "pipelinectl dead re", offered: ["replay"], missing: ["list"]),
        Case(typed: "pipelinectl dead list --", offered: ["--reason", "--limit", "--json"]),
        Case(typed: "pipelinectl dead list --li", offered: ["--limit"], missing: ["--reason"]),
        Case(typed: "pipelinectl send --sample te", offered: ["text"], missing: ["status"]),
        Case(typed: "pipelinectl completions f", offered: ["fish"], missing: ["bash"]),
        Case(typed: "pipelinectl help de", offered: ["dead"], missing: ["status"]),
    ]

    private static func script(_ shell: String, in directory: TemporaryDirectory) throws -> String {
        let outcome = CommandRig.run(["completions", shell])
        #expect(outcome.code == ExitCode.ok)
        let path = directory.file("completion")
        try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private static func check(_ test: Case, _ offered: [String]) {
        for word in test.offered { #expect(offered.contains(word), "\(offered)") }
        for word in test.missing { #expect(!offered.contains(word), "\(offered)") }
    }

    @Test(arguments: cases) func `bash offers what fits`(test: Case) throws {
        let directory = try TemporaryDirectory()
        let script = try Self.script("bash", in: directory)
        let driver = #"""
            set -u; source "$1"; set -f
            line="$2"; read -r -a COMP_WORDS <<<"$line"
            case "$line" in *' ') COMP_WORDS+=('') ;; esac
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _pipelinectl
            printf '%s\n' "${COMPREPLY[@]}"
            """#
        let (status, output) = try BuiltProgram.run(
            "/bin/bash", ["--norc", "-c", driver, "bash", script, test.typed], in: directory)
        #expect(status == 0, "\(output)")
        Self.check(test, output.split(separator: "\n").map(String.init))
    }

    @Test(arguments: cases) func `fish offers what fits`(test: Case) throws {
        let directory = try TemporaryDirectory()
        let script = try Self.script("fish", in: directory)
        let (status, output) = try BuiltProgram.run(
            "/usr/bin/env",
            [
                "fish", "--no-config", "-c", #"source $argv[1]; complete -C "$argv[2]""#, script,
                test.typed,
            ],
            in: directory)
        #expect(status == 0, "\(output)")
        let words = output.split(separator: "\n").map {
            String($0.prefix { $0 != "\t" })
        }
        Self.check(test, words)
    }

    /// zsh completes only where somebody types.
    @Test func `zsh offers what fits`() throws {
        let directory = try TemporaryDirectory()
        let script = try Self.script("zsh", in: directory)
        let terminal = try PseudoTerminal(
            "/usr/bin/env", ["zsh", "-f", "-i"],
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory.path, "TERM": "dumb",
                "ZDOTDIR": directory.path, "LC_ALL": "C.UTF-8",
            ], columns: 200, rows: 60)
        terminal.type(
            "unsetopt zle_bracketed_paste 2>/dev/null; PS1='> '; autoload -Uz compinit; "
                + "compinit -u -D; setopt no_always_last_prompt list_ambiguous auto_list; "
                + "unsetopt beep auto_menu; zstyle ':completion:*' menu no; "
                + "LISTMAX=1000; source \(script); echo rea''dy\n")
        try #require(terminal.waitFor("ready\r\n"))
        for test in Self.cases {
            let before = terminal.output.utf8.count
            terminal.type(test.typed + "\t")
            // One word left: it is completed. Several: they are listed, by a second tab where the
            // first could add letters that all have in common.
            let isOne = test.offered.count == 1
            if !isOne { terminal.type("\t") }
            let isOffered = waitUntil(within: .seconds(20)) {
                let new = Self.output(of: terminal, behind: before)
                return test.offered.allSatisfy { Self.words(of: new).contains($0) }
            }
            let new = Self.output(of: terminal, behind: before)
            #expect(isOffered, "\(test.typed): \(new)")
            for word in test.missing { #expect(!Self.words(of: new).contains(word), "\(new)") }
            // ^U empties the line.
            terminal.type("\u{15}\n")
        }
        terminal.type("exit\n")
        #expect(terminal.waitForEnd() == .exited(status: 0))
    }

    private static func output(of terminal: PseudoTerminal, behind count: Int) -> String {
        String(decoding: terminal.output.utf8.dropFirst(count), as: UTF8.self)
    }

    private static func words(of output: String) -> [String] {
        output.split { $0.isWhitespace || $0 == "\u{8}" || $0 == "\u{7}" }.map(String.init)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `a shell finds no mistake in its script`(shell: String) throws {
        let directory = try TemporaryDirectory()
        let script = try Self.script(shell, in: directory)
        let (status, output) = try BuiltProgram.run(
            "/usr/bin/env", [shell, "-n", script], in: directory)
        #expect(status == 0 && output.isEmpty, "\(output)")
    }

    @Test func `another shell is answered with the nearest one`() {
        let outcome = CommandRig.run(["completions", "bsh"])
        #expect(outcome.code == ExitCode.usage)
        #expect(outcome.error.contains("did you mean \"bash\"?"))
    }
}
