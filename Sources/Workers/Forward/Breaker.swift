/// Tells trouble of the destination from trouble of one message, and keeps load off it while down.
///
/// One per destination. Pure: time is passed in.
///
///              refused connection, or a failure rate
///      closed ────────────────────────────────────────────▶ open
///        ▲  ▲                                              │   ▲
///        │  └──────────── success ────────────┐     delay  │   │ failure: the delay doubles
///        │                                    │     over   ▼   │
///        └────── success (of anything) ───── probing (one attempt under way)
///
/// Failures open it only where at least `conversationsMin` conversations had them, so one bad
/// message cannot; and then either by rate, `failureRateMin` of at least `failuresMin` results
/// within the window, or where nothing at all has succeeded for `quietWindow`. So a receiver that
/// fails a few of many messages a second stays open for business, and one that fails three of
/// three, or every other one of twenty, does not.
///
/// After an outage the concurrency starts at 1. Each round of as many results as may be under way
/// doubles it, and a round in which more than a quarter failed halves it.
struct Breaker: Sendable {
    /// Whether and how deliveries may be sent now.
    enum Admission: Sendable, Equatable {
        /// Up to this many in flight.
        case open(concurrency: Int)
        /// One, to find out.
        case probe
        /// None before this moment, or before the probe under way has ended (nil).
        case wait(until: Duration?)
    }

    /// What a result changed, for the log.
    enum Change: Sendable, Equatable {
        case opened(delay: Duration)
        case closed(afterProbes: Int)
    }

    /// The state's name, as metrics and `status` show it.
    enum StateName: String, Sendable, CaseIterable {
        case closed
        case halfOpen = "half-open"
        case open
    }

    /// What an attempt says about the destination.
    enum Signal: Sendable, Equatable {
        case success
        /// Answered or lost after it was reached.
        case failure(conversation: String)
        /// Could not be reached; `isRefused`: nothing listens there.
        case unreached(isRefused: Bool)
        /// We cut it off ourselves: says nothing.
        case none
    }

    private enum State: Sendable {
        case closed
        case open(until: Duration, delay: Duration, probeCount: Int)
        case probing(delay: Duration, probeCount: Int)
    }

    /// Different conversations that must fail before a streak can open it.
    static let conversationsMin = 3
    /// Failures within the window that open it, where they are enough of all results.
    static let failuresMin = 10
    /// The part of all results within the window that must have failed.
    static let failureRateMin = 0.5
    /// A success within it keeps fewer failures from opening it.
    static let quietWindow = Duration.seconds(2)
    /// Conversations probed last, avoided for the next probe while there are others.
    static let probedMax = 16

    private let delays: Backoff
    private let concurrencyMax: Int
    private var state = State.closed
    private var window = FailureWindow()
    private var streakConversations: Set<String> = []
    private var lastSuccessAt: Duration?
    private var concurrency: Int
    private var roundSuccessCount = 0
    private var roundFailureCount = 0
    /// Times it opened; an attempt sent before an opening and ended after it spends nothing.
    private(set) var openingCount = 0
    private(set) var probed: [String] = []

    /// - Parameters:
    ///   - delays: the first probe's delay, and the longest.
    ///   - concurrencyMax: `FORWARD_CONCURRENCY`; 1 or more.
    init(delays: Backoff, concurrencyMax: Int) {
        precondition(concurrencyMax > 0, "at least one delivery is in flight at a time")
        self.delays = delays
        self.concurrencyMax = concurrencyMax
        concurrency = concurrencyMax
    }

    var isClosed: Bool {
        switch state {
        case .closed: true
        case .open, .probing: false
        }
    }

    var stateName: StateName {
        switch state {
        case .closed: .closed
        case .open: .open
        case .probing: .halfOpen
        }
    }

    /// How many may be in flight now; below `FORWARD_CONCURRENCY` during a slow start.
    var concurrencyLimit: Int { isClosed ? concurrency : 1 }

    func admission(now: Duration) -> Admission {
        switch state {
        case .closed: .open(concurrency: concurrency)
        case .open(let until, _, _): now >= until ? .probe : .wait(until: until)
        case .probing: .wait(until: nil)
        }
    }

    /// Notes that the probe `admission` allowed is under way.
    mutating func probeSent(conversation: String) {
        guard case .open(_, let delay, let probeCount) = state else {
            preconditionFailure("a probe is sent only while the breaker is open")
        }
        state = .probing(delay: delay, probeCount: probeCount + 1)
        probed.append(conversation)
        if probed.count > Self.probedMax { probed.removeFirst() }
    }

    /// Takes in how an attempt ended.
    mutating func record(_ signal: Signal, isProbe: Bool, now: Duration) -> Change? {
        switch signal {
        case .success:
            return succeeded(now: now)
        case .failure(let conversation):
            window.noteFailure(conversation: conversation, now: now)
            if streakConversations.count < Self.conversationsMin {
                streakConversations.insert(conversation)
            }
            roundFailureCount += 1
            adaptConcurrency()
            return failed(isProbe: isProbe, opens: failuresOpen(now: now), now: now)
        case .unreached(let isRefused):
            return failed(isProbe: isProbe, opens: isRefused || isQuiet(now: now), now: now)
        case .none:
            return failed(isProbe: isProbe, opens: false, now: now)
        }
    }

    private func isQuiet(now: Duration) -> Bool {
        lastSuccessAt.map { now - $0 >= Self.quietWindow } ?? true
    }

    private func failuresOpen(now: Duration) -> Bool {
        if streakConversations.count >= Self.conversationsMin, isQuiet(now: now) { return true }
        let failureCount = window.failureCount
        return failureCount >= Self.failuresMin
            && window.conversationCount >= Self.conversationsMin
            && Double(failureCount)
                >= Double(failureCount + window.successCount) * Self.failureRateMin
    }

    private mutating func succeeded(now: Duration) -> Change? {
        lastSuccessAt = now
        window.noteSuccess(now: now)
        streakConversations.removeAll(keepingCapacity: true)
        switch state {
        case .closed:
            roundSuccessCount += 1
            adaptConcurrency()
            return nil
        case .open(_, _, let probeCount), .probing(_, let probeCount):
            state = .closed
            concurrency = 1
            window.clear()
            endRound()
            probed = []
            return .closed(afterProbes: probeCount)
        }
    }

    private mutating func adaptConcurrency() {
        guard concurrency < concurrencyMax else { return endRound() }
        let resultCount = roundSuccessCount + roundFailureCount
        guard resultCount >= concurrency else { return }
        let isStruggling = roundFailureCount * 4 > resultCount
        concurrency = isStruggling ? max(1, concurrency / 2) : min(concurrency * 2, concurrencyMax)
        endRound()
    }

    private mutating func endRound() {
        roundSuccessCount = 0
        roundFailureCount = 0
    }

    private mutating func failed(isProbe: Bool, opens: Bool, now: Duration) -> Change? {
        switch state {
        case .closed:
            guard opens else { return nil }
            state = .open(until: now + delays.delayMin, delay: delays.delayMin, probeCount: 0)
            openingCount += 1
            return .opened(delay: delays.delayMin)
        case .probing(let delay, let probeCount):
            // An attempt sent before the outage says nothing about the probe under way.
            guard isProbe else { return nil }
            let next = min(delay * 2, delays.delayMax)
            state = .open(until: now + next, delay: next, probeCount: probeCount)
            return nil
        case .open:
            return nil
        }
    }
}
