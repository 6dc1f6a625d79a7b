import Base
import Synchronization

/// How the lake pool is doing: what its threads report, for /readyz and for gauges.
///
/// Any thread may call anything; nothing blocks for longer than a few instructions.
final class LakeHealth: Sendable {
    private struct State {
        /// Why nothing is sealed at the moment.
        var sealing: String?
        /// Why nothing reaches the lake at the moment.
        var shipping: String?
        /// Objects that only a person can set right, and why.
        var alarms: [String: String] = [:]
        var unshippedCount = 0
        var lagCount = 0
        /// When the oldest status that is not sealed was received.
        var oldestReceivedAt: Timestamp?
    }

    private let state = Mutex(State())

    /// One line that says what is wrong, or nil where nothing is.
    var trouble: String? {
        state.withLock { state in
            let alarm = state.alarms.min { $0.key < $1.key }.map { _, reason in
                state.alarms.count == 1 ? reason : "\(reason) (and \(state.alarms.count - 1) more)"
            }
            let reasons = [alarm, state.sealing, state.shipping].compactMap { $0 }
            return reasons.isEmpty ? nil : "lake: " + reasons.joined(separator: "; ")
        }
    }

    /// Batches sealed and not in the lake.
    var unshippedCount: Int { state.withLock { $0.unshippedCount } }

    func raiseAlarm(object: String, reason: String) {
        state.withLock { $0.alarms[object] = reason }
    }

    func clearAlarm(object: String) { state.withLock { $0.alarms[object] = nil } }

    func sealing(isHeldUpBy reason: String?) { state.withLock { $0.sealing = reason } }

    func shipping(isHeldUpBy reason: String?) { state.withLock { $0.shipping = reason } }

    func setUnshipped(count: Int) { state.withLock { $0.unshippedCount = count } }

    func backlog(webhookCount: Int, oldestReceivedAt: Timestamp?) {
        state.withLock { state in
            state.lagCount = webhookCount
            state.oldestReceivedAt = oldestReceivedAt
        }
    }

    func register(in registry: MetricsRegistry) {
        registry.gauge(
            "workers_lake_unshipped_batches", help: "Batches that are sealed and not in the lake.",
            read: { [self] in Double(unshippedCount) })
        registry.gauge(
            "workers_lake_alarms",
            help: "Objects that are not shipped until a person has looked at them.",
            read: { [self] in Double(state.withLock { $0.alarms.count }) })
        registry.gauge(
            "workers_lake_lag_webhooks", help: "Webhooks that the lake consumer has still to read.",
            read: { [self] in Double(state.withLock { $0.lagCount }) })
        registry.gauge(
            "workers_lake_oldest_seconds",
            help: "Age of the oldest status known that is not sealed yet; 0 where there is none.",
            read: { [self] in
                guard let oldest = state.withLock({ $0.oldestReceivedAt }) else { return 0 }
                return max(0, Timestamp.now().since(oldest).secondsFraction)
            })
    }
}
