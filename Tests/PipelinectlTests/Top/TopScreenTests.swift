import Base
import Foundation
import Glibc
import TestSupport
import Testing

@testable import pipelinectl

/// `top` as a person has it: a process of its own on a real terminal.
@Suite(.serialized) struct TopScreenTests {
    private static let enter = "\u{1B}[?1049h"
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    private static func start(_ rig: CommandRig, _ more: [String: String] = [:]) throws
        -> PseudoTerminal
    {
        let environment = rig.environment.merging(["TERM": "xterm-256color"]) { old, _ in old }
        return try PseudoTerminal(
            BuiltProgram.path(), ["top", "--interval", "1"],
            environment: environment.merging(more) { _, new in new })
    }

    @Test func `q ends it, and the terminal is as it was before`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let terminal = try Self.start(rig)
        #expect(terminal.waitFor("pipelinectl dead list"))
        #expect(terminal.output.contains(Self.enter + "\u{1B}[?25l"))
        #expect(!terminal.isCooked)
        terminal.type("q")
        #expect(terminal.waitForEnd() == .exited(status: 0))
        #expect(terminal.output.hasSuffix(Self.leave))
        #expect(terminal.isCooked)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
    func `a signal ends it, and the terminal is as it was before`(signal: Int32) throws {
        let rig = try CommandRig()
        let terminal = try Self.start(rig)
        #expect(terminal.waitFor("breaker"))
        // ^C comes from the terminal itself.
        if signal == SIGINT { terminal.type("\u{03}") } else { terminal.signal(signal) }
        #expect(terminal.waitForEnd() == .exited(status: 0))
        #expect(terminal.output.hasSuffix(Self.leave))
        #expect(terminal.isCooked)
    }

    @Test(arguments: [SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS])
    func `a crash gives the terminal back, and is still a crash`(signal: Int32) throws {
        let rig = try CommandRig()
        let terminal = try Self.start(rig, ["SWIFT_BACKTRACE": "enable=no"])
        #expect(terminal.waitFor("breaker"))
        terminal.signal(signal)
        #expect(terminal.waitForEnd() == .killed(signal: signal))
        #expect(terminal.output.contains(Self.leave))
        #expect(terminal.isCooked)
    }

    @Test func `a stop by ^Z gives the terminal back, and going on takes it again`() throws {
        let rig = try CommandRig()
        let terminal = try Self.start(rig)
        #expect(terminal.waitFor("breaker"))
        terminal.type("\u{1A}")
        #expect(terminal.waitFor(Self.leave))
        #expect(waitUntil { terminal.isCooked })
        terminal.signal(SIGCONT)
        let again = waitUntil {
            terminal.output.components(separatedBy: Self.enter).count == 3
        }
        #expect(again)
        terminal.type("q")
        #expect(terminal.waitForEnd() == .exited(status: 0))
        #expect(terminal.isCooked)
    }

    @Test func `the screen never gets a line too long or a row too many`() throws {
        let rig = try CommandRig()
        for _ in 0..<3 { try rig.bury() }
        let terminal = try Self.start(rig, ["NO_COLOR": "1"])
        #expect(terminal.waitFor("\u{1B}[J"))
        for (columns, rows) in [(80, 24), (132, 43), (40, 10), (8, 2), (1, 1)] {
            let before = terminal.output.utf8.count
            terminal.resize(columns: UInt16(columns), rows: UInt16(rows))
            // The first whole picture behind the change of size.
            var frame: Substring = ""
            let isThere = waitUntil {
                let new = String(decoding: terminal.output.utf8.dropFirst(before), as: UTF8.self)
                let frames = new.components(separatedBy: "\u{1B}[H").dropFirst()
                frame = (frames.last { $0.hasSuffix("\u{1B}[J") } ?? "")[...]
                let lines = frame.components(separatedBy: "\r\n")
                return !frame.isEmpty && lines.count <= rows
                    && lines.allSatisfy { Self.width($0) <= columns }
            }
            #expect(isThere, "\(columns) by \(rows): \(frame)")
        }
        terminal.type("q")
        #expect(terminal.waitForEnd() == .exited(status: 0))
    }

    /// tmux draws it as a terminal does: everything stands in 24 lines of 80.
    @Test func `in tmux at 80 by 24 all of it can be read`() throws {
        let rig = try CommandRig()
        try rig.bury()
        let socket = rig.directory.file("tmux")
        let tmux = { (arguments: [String]) throws in
            try BuiltProgram.run(
                "/usr/bin/env", ["tmux", "-S", socket, "-f", "/dev/null"] + arguments,
                environment: rig.environment.merging(["LC_ALL": "C.UTF-8"]) { _, new in new },
                in: rig.directory)
        }
        let command = "\(try BuiltProgram.path()) top"
        let (status, words) = try tmux(
            ["new-session", "-d", "-s", "t", "-x", "80", "-y", "24", command])
        try #require(status == 0, "\(words)")
        defer { _ = try? tmux(["kill-server"]) }

        var shown = ""
        try waitUntil {
            shown = try tmux(["capture-pane", "-p", "-t", "t"]).output
            return shown.contains("dead ")
        }
        for word in ["ingest", "queue", "gate", "sizes", "lake", "forward", "breaker", "dead"] {
            #expect(shown.contains("\n\(word)"), "\(word) in:\n\(shown)")
        }
        let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 25 && lines.allSatisfy { $0.count <= 80 })
        #expect(shown.contains("1 (refused 1): pipelinectl dead list"))
    }

    private static func width(_ line: String) -> Int {
        line.components(separatedBy: "\u{1B}[K")[0].count
    }
}
