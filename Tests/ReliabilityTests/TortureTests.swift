import Glibc
import Oracle
import TestSupport
import Testing

/// The promises under faults of every kind; docs/RELIABILITY.md has the long runs.
///
/// `TORTURE_ROUNDS` and `TEST_SEED` set length and schedule: `make torture ROUNDS=1000 SEED=1`.
@Suite(.serialized) struct TortureTests {
    @Test func `nothing acknowledged is lost, whatever happens to the machine`() throws {
        var generator = SeededGenerator.announced("torture")
        let torture = try Torture(seed: generator.next()) { print("torture: \($0)") }
        let roundCount = EnvironmentNumber.read("TORTURE_ROUNDS", otherwise: 20)
        try torture.start()
        for number in 1...roundCount where torture.isClean { try torture.round(number) }
        try torture.finish()
        #expect(torture.pipeline.ledger.violations == [])
        #expect(torture.pipeline.ledger.acknowledgementCount > roundCount)
        #expect(torture.pipeline.witness.lookCount > roundCount)
    }

    /// Were the syncs of the commits left out, this is what the harness would say.
    @Test func `without a sync at each commit the harness sees the loss`() throws {
        let torture = try Torture(
            seed: 1, settings: ["PIPELINE_TEST_SYNCHRONOUS": "normal"]
        ) { print("control: \($0)") }
        try torture.start()
        for number in 1...20 where torture.isClean {
            try torture.cutPower(number)
        }
        #expect(
            torture.pipeline.ledger.violations.contains { $0.contains("were acknowledged") },
            "twenty power cuts lost nothing that was not synced")
        torture.abandon()
    }

    @Test func `with it, the same power cuts lose nothing`() throws {
        let torture = try Torture(seed: 1) { print("counterpart: \($0)") }
        try torture.start()
        for number in 1...5 { try torture.cutPower(number) }
        try torture.finish()
        #expect(torture.pipeline.ledger.violations == [])
    }
}
