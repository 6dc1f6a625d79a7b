import Testing

@testable import Workers

@Suite struct BreakerTests {
    private let delays = Backoff(delayMin: .seconds(1), delayMax: .seconds(8))

    private func makeBreaker(concurrency: Int = 8) -> Breaker {
        Breaker(delays: delays, concurrencyMax: concurrency)
    }

    @Test func `one conversation alone never opens it`() {
        var breaker = makeBreaker()
        for second in 0..<1_000 {
            let change = breaker.record(
                .failure(conversation: "a"), isProbe: false, now: .seconds(second))
            #expect(change == nil)
        }
        #expect(breaker.isClosed)
    }

    @Test func `failures of three conversations with no success open it, of two do not`() {
        var breaker = makeBreaker()
        for name in ["a", "b", "a", "b"] {
            #expect(
                breaker.record(.failure(conversation: name), isProbe: false, now: .seconds(1))
                    == nil)
        }
        let change = breaker.record(
            .failure(conversation: "c"), isProbe: false, now: .seconds(1))
        #expect(change == .opened(delay: .seconds(1)))
        #expect(breaker.admission(now: .seconds(1)) == .wait(until: .seconds(2)))
    }

    @Test func `a success lately keeps a short streak from opening it, not a long one`() {
        var breaker = makeBreaker()
        _ = breaker.record(.success, isProbe: false, now: .seconds(10))
        for number in 1..<Breaker.failuresMin {
            let change = breaker.record(
                .failure(conversation: "\(number)"), isProbe: false, now: .seconds(11))
            #expect(change == nil)
        }
        let last = breaker.record(.failure(conversation: "x"), isProbe: false, now: .seconds(11))
        #expect(last != nil)
    }

    @Test func `a success ends a streak`() {
        var breaker = makeBreaker()
        for second in stride(from: 0, to: 300, by: 3) {
            for name in ["a", "b"] {
                let failure = Breaker.Signal.failure(conversation: name)
                #expect(breaker.record(failure, isProbe: false, now: .seconds(second)) == nil)
            }
            _ = breaker.record(.success, isProbe: false, now: .seconds(second))
        }
        #expect(breaker.isClosed)
    }

    @Test func `a refused connection opens it at once, another unreached one unless it is lucky`() {
        var refused = makeBreaker()
        _ = refused.record(.success, isProbe: false, now: .seconds(10))
        #expect(
            refused.record(.unreached(isRefused: true), isProbe: false, now: .seconds(10)) != nil)

        var unreached = makeBreaker()
        _ = unreached.record(.success, isProbe: false, now: .seconds(10))
        let signal = Breaker.Signal.unreached(isRefused: false)
        #expect(unreached.record(signal, isProbe: false, now: .seconds(11)) == nil)
        #expect(unreached.record(signal, isProbe: false, now: .seconds(12)) != nil)
    }

    @Test func `probes go one at a time, and their delay doubles up to the longest`() {
        var breaker = makeBreaker()
        var now = Duration.seconds(100)
        _ = breaker.record(.unreached(isRefused: true), isProbe: false, now: now)
        for seconds in [1, 2, 4, 8, 8, 8] {
            #expect(breaker.admission(now: now) == .wait(until: now + .seconds(seconds)))
            now = now + .seconds(seconds)
            #expect(breaker.admission(now: now) == .probe)
            breaker.probeSent(conversation: "a")
            #expect(breaker.admission(now: now + .seconds(999)) == .wait(until: nil))
            #expect(breaker.stateName == .halfOpen)
            // What was sent before the outage ends now: nothing changes.
            _ = breaker.record(.failure(conversation: "late"), isProbe: false, now: now)
            #expect(breaker.stateName == .halfOpen)
            _ = breaker.record(.failure(conversation: "a"), isProbe: true, now: now)
        }
        #expect(breaker.openingCount == 1)
    }

    @Test func `after an outage the concurrency starts at one and doubles by rounds`() {
        var breaker = makeBreaker(concurrency: 6)
        _ = breaker.record(.unreached(isRefused: true), isProbe: false, now: .seconds(1))
        breaker.probeSent(conversation: "a")
        #expect(
            breaker.record(.success, isProbe: true, now: .seconds(2)) == .closed(afterProbes: 1))
        var limits: [Int] = []
        for _ in 0..<10 {
            limits.append(breaker.concurrencyLimit)
            _ = breaker.record(.success, isProbe: false, now: .seconds(3))
        }
        #expect(limits == [1, 2, 2, 4, 4, 4, 4, 6, 6, 6])
        #expect(breaker.admission(now: .seconds(3)) == .open(concurrency: 6))
    }

    @Test func `an answer of before the outage that succeeds closes it too`() {
        var breaker = makeBreaker()
        _ = breaker.record(.unreached(isRefused: true), isProbe: false, now: .seconds(1))
        #expect(
            breaker.record(.success, isProbe: false, now: .seconds(1)) == .closed(afterProbes: 0))
    }

    @Test func `the conversations probed lately are known, and bounded`() {
        var breaker = makeBreaker()
        _ = breaker.record(.unreached(isRefused: true), isProbe: false, now: .zero)
        for number in 0..<100 {
            breaker.probeSent(conversation: "\(number)")
            _ = breaker.record(.failure(conversation: "\(number)"), isProbe: true, now: .zero)
        }
        #expect(breaker.probed == (84..<100).map { "\($0)" })
    }
}

@Suite struct RateLimiterTests {
    @Test func `without a limit nothing waits`() {
        var limiter = RateLimiter(perSecondMax: 0)
        for _ in 0..<100 {
            #expect(limiter.waits(now: .zero) == nil)
            limiter.started(now: .zero)
        }
    }

    @Test func `attempts are spaced evenly and a pause is not made up for`() {
        var limiter = RateLimiter(perSecondMax: 10)
        limiter.started(now: .seconds(1))
        #expect(limiter.waits(now: .seconds(1)) == .milliseconds(1_100))
        #expect(limiter.waits(now: .milliseconds(1_100)) == nil)
        // After a long pause: one at once, the next an interval later.
        limiter.started(now: .seconds(50))
        #expect(limiter.waits(now: .seconds(50)) == .milliseconds(50_100))
    }

    @Test func `a timer that comes a little late does not lower the rate`() {
        var limiter = RateLimiter(perSecondMax: 100)
        var now = Duration.seconds(1)
        var count = 0
        while now < .seconds(11) {
            if let until = limiter.waits(now: now) { now = until + .milliseconds(1) }
            limiter.started(now: now)
            count += 1
        }
        #expect((990...1_001).contains(count))
    }
}
