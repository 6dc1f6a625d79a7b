import Base
import Glibc
import Testing

@testable import Workers

@Suite struct LakeBackoffTests {
    let down = LakeError(.unavailable, "down")
    let refused = LakeError(.refused, "no")

    @Test func `delays double up to the limit, and never overflow`() {
        let backoff = LakeBackoff(delayMin: .seconds(1), delayMax: .seconds(300))
        let delays = [1, 2, 3, 9, 10, 1_000_000].map {
            backoff.delay(afterFailure: $0, of: down, jitter: 0.999_999)
        }
        let seconds = delays.map { Int($0.secondsFraction.rounded()) }
        #expect(seconds == [1, 2, 4, 256, 300, 300])
    }

    @Test func `jitter takes off half at most`() {
        let backoff = LakeBackoff(delayMin: .seconds(8), delayMax: .seconds(300))
        #expect(backoff.delay(afterFailure: 1, of: down, jitter: 0) == .seconds(4))
    }

    @Test func `what only a person can mend is asked for slowly, within the limit`() {
        let backoff = LakeBackoff()
        #expect(backoff.delay(afterFailure: 1, of: refused, jitter: 0) == .milliseconds(7_500))
        let short = LakeBackoff(delayMax: .seconds(1))
        #expect(short.delay(afterFailure: 5, of: refused, jitter: 0) == .milliseconds(500))
    }

    @Test func `what the lake asks for is honoured, within the limit`() {
        let backoff = LakeBackoff()
        func delay(_ asked: Duration) -> Duration {
            let error = LakeError(.unavailable, "slow down", retryAfter: asked)
            return backoff.delay(afterFailure: 1, of: error, jitter: 0)
        }
        #expect(delay(.seconds(20)) == .seconds(20))
        #expect(delay(.seconds(86_400)) == .seconds(300))
    }

    @Test func `a failed system call is classified once`() {
        func kind(_ code: Int32) -> LakeError.Kind {
            LakeError(SystemError(call: "open", code: code, path: "/x")).kind
        }
        #expect([EACCES, EPERM, EROFS, ENOTDIR].map(kind) == Array(repeating: .refused, count: 4))
        #expect([ENOSPC, EIO, ENOENT, ESTALE].map(kind).allSatisfy { $0 == .unavailable })
    }
}
