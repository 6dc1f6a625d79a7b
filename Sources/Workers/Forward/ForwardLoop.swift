import Base
import Queue

/// The forward pool's one thread: reads the log, makes deliveries, sends them, settles them.
///
/// What is under way is known here alone, so a crash or a stop leaves nothing to release: what was
/// not settled is claimed again. One turn does a bounded piece of each kind of work:
///
///     arm watcher ─▶ settle ends ─▶ read a slice of the log ─▶ send what is due ─▶ wait
///          ▲                                                                       │
///          └──── the queue changed, a request ended, something falls due ──────────┘
final class ForwardLoop {
    /// Webhooks and bytes read from the log at most at once.
    static let sliceCountMax = 500
    static let sliceByteCountMax = 4 << 20
    /// A slice should hold the gate no longer than this.
    static let sliceDuration = Duration.milliseconds(10)
    /// Between two looks at the log: a stream of statuses is read in strides.
    static let lookInterval = Duration.milliseconds(5)
    /// A cursor over webhooks without anything for PHP is stored when so many were read, or so old.
    static let cursorLeadMax = 1_000
    static let cursorAgeMax = Duration.seconds(1)
    /// Answers that are not stored yet, at most, while every request that may run does.
    ///
    /// A commit of many costs little more than a commit of one. A crash sends those again.
    static let unsettledCountMax = 64
    /// The longest that such an answer waits.
    static let unsettledAgeMax = Duration.milliseconds(5)
    /// The net under the watcher, and the pause after an error that may pass.
    static let pauseMax = Duration.seconds(1)

    let session: QueueSession
    let watcher: QueueWatcher
    let client: HTTPClient
    let settings: ForwardSettings
    let log: Log
    let metrics: ForwardMetrics
    let maker: SliceMaker
    let planner: BatchPlanner
    /// One for each destination, the default first.
    let lanes: [Lane]

    /// By ticket.
    var inFlight: [Int: DispatchUnit] = [:]
    var nextTicket = 1

    /// The log is read up to here; stored with what was made of it.
    var cursor: WebhookID
    /// What was read and has nothing for PHP, not stored yet.
    var unstored: UnstoredLead?
    var sliceCount = ForwardLoop.sliceCountMax
    var nextLookAt = Duration.zero
    var nextGlanceAt = Duration.zero
    var isTroubled = false

    init(
        session: QueueSession, watcher: QueueWatcher, client: HTTPClient,
        settings: ForwardSettings, log: Log, metrics: ForwardMetrics
    ) throws(QueueError) {
        self.session = session
        self.watcher = watcher
        self.client = client
        self.settings = settings
        self.log = log
        self.metrics = metrics
        maker = SliceMaker(
            queueID: session.queueID,
            splitter: settings.splitter,
            secrets: settings.secrets,
            dedupWindow: settings.dedupWindow,
            routes: settings.routes)
        planner = BatchPlanner(
            countMax: settings.batchCountMax, byteCountMax: settings.batchBytesMax)
        lanes = try Self.makeLanes(settings, session.forward, metrics)
        cursor = try session.forward.cursor()
    }

    /// What was meant for a destination that no route knows any more goes to the default.
    private static func makeLanes(
        _ settings: ForwardSettings, _ books: ForwardBooks, _ metrics: ForwardMetrics
    ) throws(QueueError) -> [Lane] {
        let routed = settings.routedDestinations
        try books.know(routed.map(\.name))
        let orphans = try books.destinations().subtracting(routed.map(\.name)).sorted()
        var lanes: [Lane] = []
        for destination in [settings.defaultDestination] + routed {
            lanes.append(
                Lane(
                    destination, names: [destination.name] + (lanes.isEmpty ? orphans : []),
                    backoff: settings.policy.backoff,
                    closedTime: try books.closedTime(of: destination.name),
                    metrics: metrics.lane(destination.label)))
        }
        return lanes
    }

    /// Works until `stop` says so, and lets what is under way end.
    ///
    /// - Throws: a ``QueueError`` that no waiting can mend.
    func run(until stop: StopRequest) throws(QueueError) {
        while true {
            let deadline = stop.deadline
            if let deadline, inFlight.isEmpty || MonotonicClock.now() >= deadline { break }
            do throws(QueueError) {
                try turn(isStopping: deadline != nil)
                isTroubled = false
            } catch {
                try pauseOrThrow(error)
            }
            let now = MonotonicClock.now()
            let pause = min(pause(now: now), deadline.map { max(.zero, $0 - now) } ?? .seconds(1))
            if pause > .zero { watcher.wait(atMost: pause, orReadable: client.descriptor) }
            client.expire(now: MonotonicClock.now())
        }
        client.close()
        judgeEnds()
        try settle(isLast: true)
        try storeLead()
    }

    private func turn(isStopping: Bool) throws(QueueError) {
        let now = MonotonicClock.now()
        let looks = now >= nextLookAt && !isStopping
        hasLooked = looks
        if looks { watcher.arm() }
        judgeEnds()
        if looks { try look(now: now) }
        if !isStopping { try dispatch() }
        // What was settled may have made others due.
        if try settle(), !isStopping { try dispatch() }
        try glance()
    }

    /// A full disk or a locked file may pass: nothing is lost by waiting.
    private func pauseOrThrow(_ error: QueueError) throws(QueueError) {
        switch error {
        case .full, .busy:
            if !isTroubled {
                log.error("forward waits for the queue", ["reason": .describing(error)])
            }
            isTroubled = true
            nextLookAt = MonotonicClock.now() + Self.pauseMax
        case .missing, .notAQueue, .corrupt, .newerSchema, .olderSchema, .file, .syncFailed,
            .cursorMoved, .sqlite:
            throw error
        }
    }

    private func pause(now: Duration) -> Duration {
        if isTroubled { return Self.pauseMax }
        var until = now + Self.pauseMax
        // A turn without a look has not armed the watcher: nothing would end a longer wait.
        if !hasLooked { until = min(until, max(nextLookAt, now)) }
        for lane in lanes {
            if let next = lane.nextDispatchAt { until = min(until, next) }
            if let since = lane.unsettledSince { until = min(until, since + Self.unsettledAgeMax) }
        }
        if let deadline = client.nextDeadline { until = min(until, deadline) }
        if hasMoreToRead { until = min(until, max(nextLookAt, now)) }
        return max(.zero, until - now)
    }

    /// Whether the last turn looked at the log, with the watcher armed before.
    var hasLooked = false

    /// Whether the last look ended for its size, not for want of webhooks.
    var hasMoreToRead = false

    /// Refreshes what metrics show, once a second.
    private func glance() throws(QueueError) {
        for lane in lanes { lane.metrics.inFlight.set(Double(lane.inFlightCount)) }
        let now = MonotonicClock.now()
        guard now >= nextGlanceAt else { return }
        nextGlanceAt = now + .seconds(1)
        let wallNow = Timestamp.now()
        let lastID = try session.log.lastID()
        metrics.lag.set(Double(max(0, lastID.rawValue - cursor.rawValue)))
        var oldest: Timestamp?
        let dueMax = wallNow + settings.policy.backoff.delayMax
        for lane in lanes {
            try session.forward.bringForward(
                dueAfter: dueMax, to: wallNow, at: lane.destination.name)
            let head = try session.forward.claim(
                limit: 1, now: Timestamp(rawValue: .max), excluding: [],
                at: lane.destination.name)
            guard let received = head.first?.envelope.receivedAt else { continue }
            oldest = min(oldest ?? received, received)
        }
        if oldest == nil { oldest = try session.log.oldestReceivedAt(after: cursor) }
        metrics.oldestAge.set(oldest.map { max(0, wallNow.since($0).secondsFraction) } ?? 0)
    }
}

/// Webhooks that were read and hold nothing for PHP, whose cursor is not stored yet.
struct UnstoredLead {
    let since: Duration
    var webhookCount = 0
    var slice: ForwardSlice
}
