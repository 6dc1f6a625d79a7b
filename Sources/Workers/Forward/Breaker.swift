/// Tells trouble of the destination from trouble of one message, and keeps load off it while down.
///
/// One per destination. Pure: time is passed in.
///
///              refused connection, or a streak of failures
///      closed ────────────────────────────────────────────▶ open
///        ▲  ▲                                              │   ▲
///        │  └──────────── success ────────────┐     delay  │   │ failure: the delay doubles
///        │                                    │     over   ▼   │
///        └────── success (of anything) ───── probing (one attempt under way)
///
/// A streak is failures without a success between them. It opens the breaker where it holds at
/// least `conversationsMin` conversations (one bad message cannot open it) and either
/// `streakMax` failures, or no success within the last `quietWindow`: so a receiver that fails a
/// few of many messages a second stays open for business, and one that fails three of three does
/// not.
///
/// After an outage the concurrency starts at 1 and doubles with each round of successes.
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
    /// A streak this long opens it however recent the last success.
    static let streakMax = 10
    /// A success within it keeps a shorter streak from opening it.
    static let quietWindow = Duration.seconds(2)
    /// Conversations probed last, avoided for the next probe while there are others.
    static let probedMax = 16

    private let delays: Backoff
    private let concurrencyMax: Int
    private var state = State.closed
    private var streakCount = 0
    private var streakConversations: Set<String> = []
    private var lastSuccessAt: Duration?
    private var concurrency: Int
    private var roundSuccessCount = 0
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
            streakCount += 1
            if streakConversations.count < Self.conversationsMin {
                streakConversations.insert(conversation)
            }
            return failed(isProbe: isProbe, opens: streakOpens(now: now), now: now)
        case .unreached(let isRefused):
            return failed(isProbe: isProbe, opens: isRefused || isQuiet(now: now), now: now)
        case .none:
            return failed(isProbe: isProbe, opens: false, now: now)
        }
    }

    private func isQuiet(now: Duration) -> Bool {
        lastSuccessAt.map { now - $0 >= Self.quietWindow } ?? true
    }

    private func streakOpens(now: Duration) -> Bool {
        streakConversations.count >= Self.conversationsMin
            && (streakCount >= Self.streakMax || isQuiet(now: now))
    }

    private mutating func succeeded(now: Duration) -> Change? {
        lastSuccessAt = now
        streakCount = 0
        streakConversations.removeAll(keepingCapacity: true)
        switch state {
        case .closed:
            growConcurrency()
            return nil
        case .open(_, _, let probeCount), .probing(_, let probeCount):
            state = .closed
            concurrency = 1
            roundSuccessCount = 0
            probed = []
            return .closed(afterProbes: probeCount)
        }
    }

    private mutating func growConcurrency() {
        guard concurrency < concurrencyMax else { return }
        roundSuccessCount += 1
        guard roundSuccessCount >= concurrency else { return }
        concurrency = min(concurrency * 2, concurrencyMax)
        roundSuccessCount = 0
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
