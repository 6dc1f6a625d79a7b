import Glibc
import Oracle
import TestSupport
import Testing

/// A short run for every write and every sync that may fail in it, once and from then on.
///
/// `FAILING_CALLS=all` tries each number up to the end of the run; otherwise a few at random.
@Suite(.serialized) struct FailingCallTests {
    struct Way: Sendable, CustomStringConvertible {
        let call: Machine.Call
        let code: Int32
        let forEver: Bool

        var description: String {
            "\(call), \(String(cString: strerror(code))), \(forEver ? "from then on" : "once")"
        }

        static let all: [Way] = [false, true].flatMap { forEver in
            [
                Way(call: .sync, code: EIO, forEver: forEver),
                Way(call: .write, code: EIO, forEver: forEver),
                Way(call: .write, code: ENOSPC, forEver: forEver),
            ]
        }
    }

    @Test(arguments: Way.all)
    func `a call that fails costs nothing that was acknowledged`(way: Way) throws {
        var generator = SeededGenerator.announced("failing \(way)")
        let triesAll = EnvironmentNumber.read("FAILING_CALLS_ALL", otherwise: 0) == 1
        var number = triesAll ? 1 : 1 + Int(generator.next() % 60)
        var tries = 0
        repeat {
            let torture = try Torture(seed: generator.next()) { _ in }
            let failures = try torture.run(
                steps: 12, failing: way.call, at: number, code: way.code, forEver: way.forEver)
            #expect(torture.pipeline.ledger.violations == [], "\(way), number \(number)")
            tries += 1
            guard triesAll, failures > 0, torture.isClean else { break }
            number += 1
        } while true
        print("failing \(way): \(tries) runs, up to number \(number)")
    }
}
