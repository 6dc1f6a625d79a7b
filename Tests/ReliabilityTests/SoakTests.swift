import Base
import Foundation
import Oracle
import TestSupport
import Testing

/// The whole pipeline under load with faults, for as long as `SOAK_SECONDS` says: `make soak`.
@Suite(.serialized) struct SoakTests {
    @Test(.enabled(if: EnvironmentNumber.read("SOAK_SECONDS", otherwise: 0) > 0))
    func `memory, descriptors, files and lag stay flat under load and faults`() throws {
        let seconds = EnvironmentNumber.read("SOAK_SECONDS", otherwise: 0)
        var generator = SeededGenerator.announced("soak")
        let torture = try Torture(seed: generator.next()) { print("soak: \($0)") }
        try torture.start()
        var number = 0
        let start = MonotonicClock.now()
        while torture.isClean, MonotonicClock.now() - start < .seconds(seconds) {
            number += 1
            try torture.soak(number)
        }
        let page = torture.meter.page(
            title: "Soak: \(seconds) s, \(number) rounds, seed \(generator.seed)")
        let path = FileManager.default.currentDirectoryPath + "/soak.html"
        try page.write(toFile: path, atomically: true, encoding: .utf8)
        print("soak: the page is \(path)")
        try torture.finish()
        #expect(torture.pipeline.ledger.violations == [])
        #expect(torture.meter.growths(factor: 1.5, slack: 30) == [])
    }
}
