import Base
import Queue
import Testing

@testable import pipelinectl

@Suite struct ReplayCommandTests {
    @Test func `what PHP accepted in the range waits again`() throws {
        let rig = try CommandRig()
        var letter = CommandRig.Letter()
        for hours in [5, 3, 1] {
            letter.diedAt = CommandRig.now - .seconds(hours * 3_600)
            try rig.deliver(letter)
            try rig.settle(.delivered, letter)
        }
        let dry = rig.run("replay", "--since", "4h", "--until", "2h", "--dry-run", "--json")
        #expect(try dry.json()["replayed"] as? Int == 1)
        #expect(try rig.statistics().count(.waitingDeliveries) == 0)
        let done = rig.run("replay", "--since", "4h", "--until", "2h", "--json")
        #expect(done.code == ExitCode.ok)
        #expect(try done.json()["replayed"] as? Int == 1)
        #expect(try rig.run("replay", "--since", "6h", "--json").json()["replayed"] as? Int == 2)
        #expect(try rig.statistics().count(.waitingDeliveries) == 3)
        #expect(try rig.statistics().balances)
    }

    @Test(arguments: [
        ["replay"], ["replay", "--until", "2h"], ["replay", "--since", "1h", "--until", "2h"],
        ["replay", "--since", "2030-01-01"],
    ])
    func `a range that is none is a mistake`(arguments: [String]) throws {
        #expect(try CommandRig().run(arguments).code == ExitCode.usage)
    }

    @Test(arguments: [
        (12_000, 50_000, 2, "replayed 12,000 of 50,000, 6,000 a second, 7 s left"),
        (50_000, 50_000, 10, "replayed 50,000 of 50,000, 5,000 a second"),
        (0, 50_000, 2, "replayed 0 of 50,000, 0 a second"),
        (60_000, nil, 3, "replayed 60,000, 20,000 a second"),
    ])
    func `progress has a rate and what is left`(
        done: Int, total: Int?, seconds: Int, text: String
    ) {
        #expect(Progress.text("replayed", done, of: total, after: .seconds(seconds)) == text)
    }
}
