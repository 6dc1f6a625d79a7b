import Base

/// How long a lake that failed is left alone: doubling, with jitter, never for ever.
struct LakeBackoff: Sendable, Equatable {
    /// Ceiling of the first delay.
    var delayMin: Duration = .seconds(1)
    /// What only a person can mend is not asked for more often than this.
    var refusedDelayMin: Duration = .seconds(15)
    /// No delay is longer.
    ///
    /// `LAKE_BACKOFF_MAX`, default 5 min.
    var delayMax: Duration = .seconds(300)

    /// The delay after a failure: between half of the ceiling and the ceiling.
    ///
    /// - Parameters:
    ///   - number: 1 for the first failure since the last success.
    ///   - error: a refusal waits longer than an outage.
    ///   - jitter: a fraction in `0..<1`.
    /// - Returns: the delay.
    func delay(afterFailure number: Int, of error: LakeError, jitter: Double) -> Duration {
        precondition(number >= 1, "failures count from 1")
        precondition((0..<1).contains(jitter), "jitter is a fraction")
        let doubling = Backoff(delayMin: floor(for: error.kind), delayMax: delayMax)
        let ceiling = doubling.ceiling(afterAttempt: number)
        let delay = ceiling * (0.5 + jitter / 2)
        return max(delay, min(error.retryAfter ?? .zero, delayMax))
    }

    private func floor(for kind: LakeError.Kind) -> Duration {
        switch kind {
        case .unavailable, .spoolFault, .conflict, .unshippable: delayMin
        case .refused: refusedDelayMin
        }
    }
}
