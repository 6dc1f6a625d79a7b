import Base

/// How many rows one slice takes, so that the gate is held for a few milliseconds, whatever the
/// rows weigh and however slow the disk is.
///
/// Pure.
struct SlicePace: Sendable, Equatable {
    /// Nobody holds the gate longer than this plus its syncs.
    static let holdMax = Duration.milliseconds(10)
    /// What a slice aims at: half of it, so that one that goes badly is still within it.
    static let holdAim = Duration.milliseconds(5)

    static let limits = 16...8_192

    /// Rows of the next slice.
    private(set) var limit = 256

    /// Learns from one slice.
    ///
    /// - Parameters:
    ///   - rowCount: rows it took; a slice that ran dry teaches only when it was slow.
    ///   - held: how long the gate was held for it.
    mutating func learn(rowCount: Int, held: Duration) {
        guard rowCount > 0 else { return }
        if held > Self.holdAim {
            // Down at once, in proportion; time is never zero here.
            let ratio = Self.holdAim.secondsFraction / held.secondsFraction
            limit = clamp(Int(Double(rowCount) * ratio))
        } else if rowCount >= limit, held < Self.holdAim * 0.5 {
            limit = clamp(limit + limit / 2)
        }
    }

    private func clamp(_ count: Int) -> Int {
        min(max(count, Self.limits.lowerBound), Self.limits.upperBound)
    }
}
