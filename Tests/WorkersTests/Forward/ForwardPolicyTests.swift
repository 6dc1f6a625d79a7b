import Base
import Testing

@testable import Workers

@Suite struct ForwardPolicyTests {
    private let policy = ForwardPolicy(
        attemptsMax: 5,
        refusalsMax: 3,
        ageMax: .seconds(3_600),
        backoff: Backoff(delayMin: .seconds(1), delayMax: .seconds(60))
    )

    private func history(
        attempts: Int = 0, refusals: Int = 0, total: Int = 0, age: Duration? = nil
    ) -> ForwardPolicy.History {
        ForwardPolicy.History(
            attemptCount: attempts, refusalCount: refusals, attemptTotal: total, age: age)
    }

    private func outcome(
        _ status: Int, _ history: ForwardPolicy.History, isFree: Bool = false,
        retryAfter: Duration? = nil, jitter: Double = 0.5
    ) -> ForwardPolicy.Outcome {
        policy.outcome(
            of: .answered(status: status, retryAfter: retryAfter), history: history,
            isFree: isFree, jitter: jitter)
    }

    @Test func `every status from 100 to 599 has exactly the outcome of the table`() {
        for status in 100...599 {
            let first = outcome(status, history())
            let lastRefusal = outcome(status, history(attempts: 2, refusals: 2))
            if (200...299).contains(status) {
                #expect(first == .delivered)
                #expect(lastRefusal == .delivered)
                continue
            }
            #expect(first == .retry(after: .milliseconds(500), isSpent: true), "status \(status)")
            let isTransient = status >= 500 || [408, 425, 429].contains(status)
            let expected: ForwardPolicy.Outcome =
                isTransient
                ? .retry(after: .seconds(2), isSpent: true) : .dead(.refused(status: status))
            #expect(lastRefusal == expected, "status \(status)")
        }
    }

    @Test func `a delivery that is answered with 2xx is delivered whatever lies behind it`() {
        let worn = history(attempts: 99, refusals: 99, total: 999, age: .seconds(999_999))
        #expect(outcome(200, worn) == .delivered)
        #expect(outcome(204, worn, isFree: true) == .delivered)
    }

    @Test(arguments: HTTPFailure.allCases)
    func `a failure before the request was sent spends nothing and kills nothing`(
        failure: HTTPFailure
    ) {
        let worn = history(attempts: 4, refusals: 2, total: 4, age: .seconds(7_200))
        let outcome = policy.outcome(
            of: .failed(failure), history: worn, isFree: false, jitter: 0)
        switch failure {
        case .nameNotResolved, .connectionRefused, .connectionFailed, .tlsFailed,
            .connectTimedOut, .addressRefused, .cancelled:
            #expect(outcome == .retry(after: .zero, isSpent: false))
        case .timedOut, .connectionLost, .malformedAnswer:
            #expect(outcome == .dead(.attemptsSpent))
        }
    }

    @Test func `nothing that is free is spent or given up`() {
        let worn = history(attempts: 4, refusals: 2, total: 9, age: .seconds(7_200))
        for status in 100...599 where !(200...299).contains(status) {
            let outcome = outcome(status, worn, isFree: true, jitter: 0)
            #expect(outcome == .retry(after: .zero, isSpent: false), "status \(status)")
        }
    }

    @Test func `attempts end at their limit, not one before or after`() {
        #expect(outcome(500, history(attempts: 3)) == .retry(after: .seconds(4), isSpent: true))
        #expect(outcome(500, history(attempts: 4)) == .dead(.attemptsSpent))
        #expect(outcome(404, history(attempts: 4)) == .dead(.attemptsSpent))
    }

    @Test func `age ends a failing delivery at its limit and not before`() {
        let young = history(attempts: 1, age: .seconds(3_600) - .milliseconds(1))
        let old = history(attempts: 1, age: .seconds(3_600))
        #expect(outcome(503, young) == .retry(after: .seconds(1), isSpent: true))
        #expect(outcome(503, old) == .dead(.tooOld))
    }

    @Test func `Retry-After is kept, and capped at the longest backoff`() {
        #expect(
            outcome(503, history(), retryAfter: .seconds(30))
                == .retry(after: .seconds(30), isSpent: true))
        #expect(
            outcome(429, history(), retryAfter: .seconds(86_400))
                == .retry(after: .seconds(60), isSpent: true))
        #expect(
            outcome(503, history(attempts: 3), retryAfter: .seconds(1))
                == .retry(after: .seconds(4), isSpent: true))
    }
}

@Suite struct BackoffTests {
    private let backoff = Backoff(delayMin: .seconds(1), delayMax: .seconds(600))

    @Test func `the ceiling doubles, stops at the longest delay and never overflows`() {
        #expect(backoff.ceiling(afterAttempt: 1) == .seconds(1))
        #expect(backoff.ceiling(afterAttempt: 2) == .seconds(2))
        #expect(backoff.ceiling(afterAttempt: 10) == .seconds(512))
        #expect(backoff.ceiling(afterAttempt: 11) == .seconds(600))
        #expect(backoff.ceiling(afterAttempt: .max) == .seconds(600))
        let none = Backoff(delayMin: .zero, delayMax: .zero)
        #expect(none.ceiling(afterAttempt: .max) == .zero)
    }

    @Test func `jitter spreads a delay over everything below its ceiling`() {
        #expect(backoff.delay(afterAttempt: 4, jitter: 0) == .zero)
        #expect(backoff.delay(afterAttempt: 4, jitter: 0.25) == .seconds(2))
        #expect(backoff.delay(afterAttempt: 4, jitter: 0.999) < .seconds(8))
    }
}
