import Testing

@testable import Workers

/// The breaker's view of a receiver that answers, and fails too often.
@Suite struct FailureRateTests {
    private func makeBreaker(concurrency: Int = 8) -> Breaker {
        Breaker(
            delays: Backoff(delayMin: .seconds(1), delayMax: .seconds(8)),
            concurrencyMax: concurrency)
    }

    /// Feeds results of many conversations, `failing` of every 100 failures, ten a second.
    private func openedAt(failing percent: Int, conversations: Int = 50) -> Int? {
        var breaker = makeBreaker()
        for number in 0..<3_000 {
            let now = Duration.milliseconds(number * 100)
            // Spread evenly over each hundred.
            let fails = (number * percent) % 100 < percent
            let signal: Breaker.Signal =
                fails ? .failure(conversation: "\(number % conversations)") : .success
            if breaker.record(signal, isProbe: false, now: now) != nil { return number }
        }
        return nil
    }

    @Test func `half of all failing opens it though every other one succeeds, a third does not`() {
        #expect(openedAt(failing: 33) == nil)
        #expect(openedAt(failing: 5) == nil)
        #expect(openedAt(failing: 60) != nil)
        #expect(openedAt(failing: 90) != nil)
    }

    @Test func `two conversations never open it, whatever their rate`() {
        #expect(openedAt(failing: 90, conversations: 2) == nil)
    }

    @Test func `what lies further back than the window does not count`() {
        var breaker = makeBreaker()
        for number in 0..<200 {
            // A failure every 1.5 s, each of another conversation, and a success right after it.
            let now = Duration.milliseconds(number * 1_500)
            let failure = Breaker.Signal.failure(conversation: "\(number)")
            #expect(breaker.record(failure, isProbe: false, now: now) == nil)
            _ = breaker.record(.success, isProbe: false, now: now)
        }
    }

    @Test func `an outage before does not open it again`() {
        var breaker = makeBreaker()
        var now = Duration.seconds(100)
        for number in 0..<20 {
            let failure = Breaker.Signal.failure(conversation: "\(number)")
            _ = breaker.record(failure, isProbe: false, now: now)
        }
        #expect(!breaker.isClosed)
        now = now + .seconds(1)
        breaker.probeSent(conversation: "x")
        #expect(breaker.record(.success, isProbe: true, now: now) == .closed(afterProbes: 1))
        #expect(breaker.record(.failure(conversation: "a"), isProbe: false, now: now) == nil)
        #expect(breaker.isClosed)
    }

    @Test func `a slow start goes back where the receiver struggles, and not for a few failures`() {
        var breaker = makeBreaker(concurrency: 64)
        var now = Duration.seconds(1)
        _ = breaker.record(.unreached(isRefused: true), isProbe: false, now: now)
        now = now + .seconds(1)
        breaker.probeSent(conversation: "a")
        _ = breaker.record(.success, isProbe: true, now: now)
        func round(failing failureCount: Int) {
            let count = breaker.concurrencyLimit
            for number in 0..<count {
                let signal: Breaker.Signal =
                    number < failureCount ? .failure(conversation: "f") : .success
                _ = breaker.record(signal, isProbe: false, now: now)
            }
        }
        for expected in [2, 4, 8] {
            round(failing: 0)
            #expect(breaker.concurrencyLimit == expected)
        }
        round(failing: 2)
        #expect(breaker.concurrencyLimit == 16)
        round(failing: 5)
        #expect(breaker.concurrencyLimit == 8)
        for _ in 0..<3 { round(failing: 0) }
        #expect(breaker.concurrencyLimit == 64)
        // Once it has come to full speed, failures are the breaker's matter alone.
        round(failing: 40)
        #expect(breaker.concurrencyLimit == 64)
    }
}
