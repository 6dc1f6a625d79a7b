import Base
import Foundation
import Testing

@testable import pipelinectl

/// Message text of strangers, shown by every command that shows any.
@Suite struct HostileTests {
    private static let hostile =
        "\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}txt.exe\u{2066}"
        + "\u{200B}\u{FEFF}\r\u{8}\u{7F}\u{0}"

    /// Deliveries whose every text is hostile: conversation, field, body, and what PHP answered.
    private static func rig() throws -> CommandRig {
        let rig = try CommandRig()
        let body = Array((#"{"id":"wamid.HOSTILE","text":""# + hostile + "\"}").utf8)
        try rig.bury(
            .init(
                conversation: "1:" + hostile, field: hostile, phoneNumberID: hostile, body: body,
                answer: Array(hostile.utf8)))
        try rig.buryUnparseable("wamid.HOSTILE" + hostile)
        return rig
    }

    @Test(arguments: [
        ["status"], ["top", "--once", "--interval", "1"], ["dead", "list"], ["dead", "show", "1"],
        ["dead", "show", "2"], ["lookup", "wamid.HOSTILE"], ["check"],
        ["dead", "replay", "2"], ["dead", "discard", "1", "--because", "x" + hostile],
        ["dead", "show", hostile], [hostile], ["status", "--" + hostile],
        ["lookup", hostile], ["dead", "import", "/nowhere/" + hostile],
    ])
    func `nothing of it reaches a terminal as it is`(arguments: [String]) throws {
        let rig = try Self.rig()
        for reader in [Console.Reader.person(colour: false), .program] {
            for line in [arguments, arguments + ["--json"]] {
                let outcome = rig.run(line, reader: reader)
                for scalar in (outcome.output + outcome.error).unicodeScalars
                where scalar != "\n" && scalar != "\t" {
                    #expect(
                        !HostileText.isHidden(scalar),
                        "\(HostileText.escape(scalar)) by \(line.prefix(2))")
                }
            }
        }
    }
}
