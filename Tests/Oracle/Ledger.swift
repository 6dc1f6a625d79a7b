import Base
import Synchronization

/// What was sent, what was acknowledged, what arrived; and everything that must never be.
///
/// It is asked while faults happen: each arrival is compared the moment it comes, and the books of
/// the queue against the number of 200s at any time. A violation stays; the first few are kept word
/// for word.
public final class Ledger: Sendable {
    /// How far one event has come.
    private struct Progress {
        var isAcknowledged = false
        /// Its sender gave up before an acknowledgement: it may arrive or not.
        var isAbandoned = false
        var arrivalCount = 0
    }

    private struct State {
        var events: [Load.Event: Progress] = [:]
        /// The last step of each conversation that arrived for the first time.
        var lastStep: [String: Int] = [:]
        var acknowledgementCount = 0
        var postCount = 0
        var refusalCount = 0
        var againCount = 0
        var deliveryKeys: [Load.Event: String] = [:]
        var outstandingCount = 0
        var violations: [String] = []
        var violationCount = 0
    }

    private let state = Mutex(State())

    /// Nothing was sent yet.
    public init() {}

    // MARK: The sender's side

    /// A step is about to be sent for the first time.
    public func willSend(_ load: Load) {
        state.withLock { state in
            for event in load.events { state.events[event] = Progress() }
        }
    }

    /// One answer, or none: `nil`.
    public func answered(_ status: Int?) {
        state.withLock { state in
            state.postCount += 1
            if status == 200 { state.acknowledgementCount += 1 }
            if let status, status != 200 { state.refusalCount += 1 }
        }
    }

    /// A step was acknowledged: from now on every event in it is owed.
    public func acknowledged(_ load: Load) {
        state.withLock { state in
            for event in load.events {
                state.events[event]?.isAcknowledged = true
                if state.events[event]?.arrivalCount == 0 { state.outstandingCount += 1 }
            }
        }
    }

    /// The sender gave a step up without an acknowledgement.
    public func abandoned(_ load: Load) {
        state.withLock { state in
            for event in load.events { state.events[event]?.isAbandoned = true }
        }
    }

    // MARK: The receivers' side

    /// PHP took a message; `key` is its delivery id.
    public func accepted(_ event: Load.Event, key: String) {
        state.withLock { state in
            guard Self.arrives(event, &state) else { return }
            if let known = state.deliveryKeys[event], known != key {
                Self.violate("\(event.id) has two delivery ids", &state)
            }
            state.deliveryKeys[event] = key
            guard let progress = state.events[event], progress.arrivalCount == 1 else {
                state.againCount += 1
                return
            }
            // Out of its turn only what was given up and came through all the same.
            guard !progress.isAbandoned, event.kind == .message else { return }
            let last = state.lastStep[event.conversation] ?? 0
            if event.step < last {
                Self.violate("\(event.id) came after step \(last) of its conversation", &state)
            }
            state.lastStep[event.conversation] = max(last, event.step)
        }
    }

    /// The lake holds a line with this status.
    public func stands(inLake event: Load.Event) {
        state.withLock { state in
            guard Self.arrives(event, &state) else { return }
            if state.events[event]?.arrivalCount ?? 0 > 1 {
                Self.violate("\(event.id) stands in the lake twice", &state)
            }
        }
    }

    private static func arrives(_ event: Load.Event, _ state: inout State) -> Bool {
        guard var progress = state.events[event] else {
            violate("\(event.id) arrived and was never sent", &state)
            return false
        }
        progress.arrivalCount += 1
        if progress.arrivalCount == 1, progress.isAcknowledged { state.outstandingCount -= 1 }
        state.events[event] = progress
        return true
    }

    /// Something happened that must never happen.
    public func violate(_ sentence: String) {
        state.withLock { Self.violate(sentence, &$0) }
    }

    private static func violate(_ sentence: String, _ state: inout State) {
        state.violationCount += 1
        if state.violations.count < 20 { state.violations.append(sentence) }
    }

    // MARK: What is known

    /// 200s that came back: as many webhooks at least must stand in the queue's books.
    public var acknowledgementCount: Int { state.withLock { $0.acknowledgementCount } }
    /// Requests that were answered otherwise, 503 for example.
    public var refusalCount: Int { state.withLock { $0.refusalCount } }
    /// The first violations, word for word; none where every promise was kept so far.
    public var violations: [String] { state.withLock { $0.violations } }
    /// Acknowledged events that have not arrived yet.
    public var outstandingCount: Int { state.withLock { $0.outstandingCount } }

    /// Acknowledged events that have not arrived, by their identifiers, a few of them.
    public func missing(limit: Int = 10) -> [String] {
        state.withLock { state in
            state.events.filter { $0.value.isAcknowledged && $0.value.arrivalCount == 0 }
                .prefix(limit).map(\.key.id).sorted()
        }
    }

    /// One line of figures.
    public var summary: String {
        state.withLock { state in
            let arrived = state.events.values.count { $0.arrivalCount > 0 }
            let unowed = state.events.values.count {
                $0.arrivalCount > 0 && !$0.isAcknowledged
            }
            return "\(state.postCount) requests, \(state.acknowledgementCount) acknowledged, "
                + "\(state.refusalCount) refused; \(arrived) events arrived, \(unowed) of them "
                + "unacknowledged, \(state.againCount) deliveries again; lost "
                + "\(state.outstandingCount), violations \(state.violationCount)"
        }
    }
}
