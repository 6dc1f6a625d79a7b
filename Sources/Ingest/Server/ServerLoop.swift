import Base
import CLinux
import Glibc
import Queue
import WhatsApp

/// The server: one thread that reads, checks, commits and answers.
///
/// Each turn serves every connection that has something, gathers the webhooks that are complete
/// into one group, stores the group in one synced transaction, and only then answers all of it.
/// While the disk syncs the next group collects in the kernel's buffers, so groups grow by
/// themselves under load and no timer is needed.
///
///     wait ─▶ accept ─▶ read, parse, check signatures ─▶ group ─▶ COMMIT ─▶ answer ─▶ wait
///
/// Nothing here blocks but the commit itself: the gate is only tried, and where it is held a helper
/// thread waits for it while the loop goes on.
final class ServerLoop {
    /// Tokens of what is not a connection; no slot has them, since slots are not negative.
    enum Token {
        static let listener = UInt64.max
        static let signals = UInt64.max - 1
        static let gate = UInt64.max - 2
    }

    /// One webhook of the group, and whom to answer.
    struct Member {
        let slot: ConnectionTable.Slot
        let generation: UInt32
        let persistence: AnswerTable.Persistence
        let completedAt: Int64
    }

    static let nanosecondsPerSecond: Int64 = 1_000_000_000
    /// How often the sink is asked whether it is closed, and paused accepting is tried again.
    private static let glanceInterval = nanosecondsPerSecond / 4
    private static let gatherRoundsMax = 4

    let limits: ServerLimits
    let requestLimits: HTTPLimits
    let route: WebhookRoute
    let verifyToken: Secret
    let remoteAddress: RemoteAddress
    let sink: WebhookSink
    let metrics: ServerMetrics
    let log: Log
    private let supervisor: Supervisor
    let answers = AnswerTable()
    let table: ConnectionTable
    var verifier: SignatureVerifier
    let fingerprints: [UnsafeRawBufferPointer]
    var budget: BufferBudget

    let poller: Poller
    /// Nil once the server stops: nobody is let in who could not be served.
    private var listener: Listener?
    let stops: StopSignals
    let gateWaiter: GateWaiter

    // Owned: `arenaBytes`; the requests of a group lie in it, or in their connection's buffer.
    let arena: UnsafeMutablePointer<UInt8>
    var arenaUsed = 0
    var webhooks: [PendingWebhook] = []
    var members: [Member] = []
    var groupBytes = 0
    /// When the group began to wait for the gate.
    var groupWaitsSince: Int64?
    /// The helper thread was asked for the gate and has not said that it is ours.
    var gateIsAsked = false

    /// Set once in each turn.
    var now = LoopClock.now()
    var wallNow = Timestamp.now()
    var closed: Refusal?
    /// Requests of the connection being served that were answered, or joined the group.
    var answersThisTurn = 0
    private var nextGlance: Int64 = 0
    private var acceptIsPaused = false
    /// Set by the first signal: when what is still open is given up.
    private(set) var stopDeadline: Int64?
    /// Until then failed commits are counted, not logged.
    var nextFailureLine: Int64 = 0
    /// The disk failed: the loop ends after this turn.
    var failure: QueueError?

    /// Makes a server that listens already and serves nobody yet.
    ///
    /// - Throws: ``SystemError`` where the process has no descriptors left.
    init(
        _ setUp: ServerSetUp,
        sink: WebhookSink,
        stops: StopSignals,
        metrics: ServerMetrics,
        log: Log
    ) throws(SystemError) {
        limits = setUp.limits
        requestLimits = setUp.requestLimits
        route = WebhookRoute(path: Array(setUp.path.utf8))
        verifyToken = setUp.verifyToken
        remoteAddress = RemoteAddress(proxies: setUp.proxies)
        verifier = SignatureVerifier(secrets: setUp.secrets)
        fingerprints = setUp.secrets.map { Self.permanentBytes($0.fingerprint) }
        self.sink = sink
        self.stops = stops
        self.metrics = metrics
        self.log = log
        table = ConnectionTable(capacity: setUp.limits.connectionsMax)
        budget = BufferBudget(
            bufferBytesMax: setUp.limits.bufferBytesMax,
            connectionsMax: setUp.limits.connectionsMax,
            requestBytesMax: setUp.requestBytesMax)
        arena = .allocate(capacity: setUp.limits.arenaBytes)
        poller = try Poller()
        gateWaiter = try GateWaiter()
        listener = setUp.listener
        supervisor = setUp.supervisor
        webhooks.reserveCapacity(setUp.limits.commitCountMax)
        members.reserveCapacity(setUp.limits.commitCountMax)
    }

    deinit { arena.deallocate() }

    /// Lives as long as the process, like the secrets.
    private static func permanentBytes(_ text: String) -> UnsafeRawBufferPointer {
        let bytes = Array(text.utf8)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(copy)
    }

    // MARK: The loop

    /// Serves until a signal comes and what is open has been answered, or the disk fails.
    ///
    /// - Throws: ``SystemError`` where the kernel refuses what it must not refuse.
    func run() throws(SystemError) {
        if let descriptor = listener?.descriptor {
            try poller.add(descriptor, token: Token.listener)
        }
        try poller.add(stops.descriptor, token: Token.signals)
        try poller.add(gateWaiter.granted.descriptor, token: Token.gate)
        gateWaiter.start(lock: sink.lock)
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 512)
        defer { events.deallocate() }

        while failure == nil {
            let count = poller.wait(events, timeout: timeoutMilliseconds())
            now = LoopClock.now()
            wallNow = Timestamp.now()
            answers.refresh(now: wallNow)
            for index in 0..<count { try take(events[index]) }
            try glanceWhenDue()
            serveReady()
            if groupWaitsSince == nil { try gatherMore(events) }
            commitOrWait()
            expireTimers()
            if let stopDeadline, isDone(by: stopDeadline) { break }
        }
        for slot in table.openSlots { close(slot) }
    }

    /// Looks again for what arrived while the group was read: the fuller a group, the fewer syncs.
    ///
    /// Never waits, and ends after a few looks, so that a steady stream delays nobody.
    private func gatherMore(
        _ events: UnsafeMutableBufferPointer<epoll_event>
    ) throws(SystemError) {
        for _ in 0..<Self.gatherRoundsMax where !members.isEmpty && groupHasRoom {
            let count = poller.wait(events, timeout: 0)
            guard count > 0 else { return }
            for index in 0..<count { try take(events[index]) }
            serveReady()
        }
    }

    private func take(_ event: epoll_event) throws(SystemError) {
        switch event.data.u64 {
        case Token.listener: try acceptWaiting()
        case Token.signals: try takeSignal()
        case Token.gate: gateGranted()
        default: takeConnectionEvent(event)
        }
    }

    private func takeConnectionEvent(_ event: epoll_event) {
        guard let slot = table.slot(of: event.data.u64) else { return }
        let connection = table[slot]
        let broken = EPOLLHUP.rawValue | EPOLLERR.rawValue
        if event.events & (EPOLLRDHUP.rawValue | broken) != 0 {
            connection.pointee.flags.insert([.peerFinishes, .isReadable])
        }
        if event.events & EPOLLIN.rawValue != 0 { connection.pointee.flags.insert(.isReadable) }
        if event.events & EPOLLOUT.rawValue != 0, connection.pointee.output != nil {
            flushOutput(slot)
            guard table[slot].pointee.descriptor >= 0 else { return }
        }
        if connection.pointee.flags.contains(.isReadable) { table.makeReady(slot) }
    }

    /// Serves everybody in line once; who has more to say lines up again behind them.
    private func serveReady() {
        for _ in 0..<table.readyCount {
            guard groupHasRoom, let slot = table.nextReady() else { return }
            serve(slot)
        }
    }

    /// Whether another request can join the group, wherever its bytes come to lie.
    var groupHasRoom: Bool {
        members.count < limits.commitCountMax && groupBytes < limits.commitBytesMax
            && limits.arenaBytes - arenaUsed >= requestLimits.headBytesMax
    }

    // MARK: Accepting

    private func acceptWaiting(countMax: Int = 256) throws(SystemError) {
        for _ in 0..<countMax {
            guard table.openCount < limits.connectionsMax || closeOldest() else {
                return try pauseAccepting()
            }
            switch listener?.accept() ?? .none {
            case .none: return
            case .exhausted: return try pauseAccepting()
            case .connection(let descriptor, let address):
                try open(descriptor, from: address)
            }
        }
    }

    private func open(_ descriptor: Int32, from address: IPAddress) throws(SystemError) {
        guard let slot = table.open(descriptor) else {
            Glibc.close(descriptor)
            return
        }
        var one: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        table[slot].pointee.address = AddressText(address)
        if remoteAddress.proxies.contains(address) {
            table[slot].pointee.flags.insert(.isTrustedProxy)
        }
        try poller.addConnection(descriptor, token: table.token(of: slot))
        startTimer(slot, .idle, limits.idleDuration)
        metrics.connections.set(Double(table.openCount))
    }

    /// Makes room for a new connection: of the idle ones the oldest goes, or else the one that
    /// has been busy with its head longest.
    private func closeOldest() -> Bool {
        for (timer, limit) in [
            (Connection.Timer.idle, limits.idleDuration), (.head, limits.headDuration),
        ] {
            guard let slot = table.first(of: timer) else { continue }
            let since = table[slot].pointee.deadline - limit.nanoseconds
            guard now - since >= limits.idleDurationMin.nanoseconds else { continue }
            close(slot)
            return true
        }
        return false
    }

    /// New connections wait in the kernel until some have gone; tried again a few times a second.
    private func pauseAccepting() throws(SystemError) {
        guard !acceptIsPaused else { return }
        acceptIsPaused = true
        metrics.acceptPauses.add()
        try watchListener(false)
    }

    // MARK: Time

    private func glanceWhenDue() throws(SystemError) {
        guard now >= nextGlance else { return }
        nextGlance = now + Self.glanceInterval
        supervisor.beat()
        closed = sink.closed()
        metrics.bufferBytes.set(Double(budget.usedBytes))
        // Somebody may have become slow enough by now to make room for the first in line.
        if let slot = table.nextAwaitingBuffer() { table.makeReady(slot) }
        guard acceptIsPaused, stopDeadline == nil else { return }
        acceptIsPaused = false
        try watchListener(true)
    }

    private func watchListener(_ isWatched: Bool) throws(SystemError) {
        guard let descriptor = listener?.descriptor else { return }
        try poller.set(descriptor, token: Token.listener, isWatched: isWatched)
    }

    private func timeoutMilliseconds() -> Int32 {
        // While a full group waits for the gate, who is ready waits with it.
        if table.hasReady, groupHasRoom || groupWaitsSince == nil { return 0 }
        var deadline = nextGlance
        for timer in Connection.Timer.allCases where timer != .none {
            if let slot = table.first(of: timer) {
                deadline = min(deadline, table[slot].pointee.deadline)
            }
        }
        if let groupWaitsSince {
            deadline = min(deadline, groupWaitsSince + limits.gateWaitMax.nanoseconds)
        }
        if let stopDeadline { deadline = min(deadline, stopDeadline) }
        let nanoseconds = max(0, deadline - LoopClock.now())
        return Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
    }

    func startTimer(_ slot: ConnectionTable.Slot, _ timer: Connection.Timer, _ duration: Duration) {
        table.setTimer(slot, timer, deadline: now + duration.nanoseconds)
    }

    private func expireTimers() {
        for timer in Connection.Timer.allCases where timer != .none {
            while let slot = table.first(of: timer), table[slot].pointee.deadline <= now {
                switch timer {
                case .head, .body: refuse(slot, .tooSlow)
                case .none, .idle, .write, .linger: close(slot)
                }
            }
        }
    }

    // MARK: Stopping

    private func takeSignal() throws(SystemError) {
        guard stops.take() else { return }
        // A person who asks twice is in a hurry; what was acknowledged is stored already.
        if stopDeadline != nil { _exit(ExitCode.failed) }
        log.notice("stopping: connections get a second for one more request")
        // Who waits in the kernel has been let in already: serve them too.
        if listener?.isInherited == false {
            try acceptWaiting(countMax: limits.connectionsMax)
        }
        listener = nil
        stopDeadline = now + limits.stopDuration.nanoseconds
    }

    private func isDone(by deadline: Int64) -> Bool {
        guard members.isEmpty else { return false }
        if table.openCount == 0 { return true }
        // A request that was read is answered, however late it is: only the idle are given up.
        return now >= deadline
    }
}
