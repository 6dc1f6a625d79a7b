import Queue
import WhatsApp

/// Which deliveries travel in one POST.
///
/// Pure, but for the followers that it asks for.
///
/// Several go together only where some would have to wait: where more conversations are due than
/// requests may start now, or deliveries stand behind the first of a conversation. What failed goes
/// alone from then on, so that one refused message is found and does not fail its neighbours again.
struct BatchPlanner: Sendable {
    /// `FORWARD_BATCH_MAX`, 1 or more.
    let countMax: Int
    /// `FORWARD_BATCH_BYTES_MAX`.
    let byteCountMax: Int

    /// A POST that is being filled.
    struct Draft {
        private(set) var deliveries: [Delivery]
        private(set) var entries: [Range<Int>]
        private(set) var entryByteCount: Int

        /// Nil for what goes alone.
        init?(_ first: Delivery) {
            guard BatchPlanner.mayTravel(first), let entry = BatchBody.entry(of: first.body) else {
                return nil
            }
            deliveries = [first]
            entries = [entry]
            entryByteCount = entry.count
        }

        mutating func add(_ delivery: Delivery, entry: Range<Int>) {
            deliveries.append(delivery)
            entries.append(entry)
            entryByteCount += entry.count
        }
    }

    /// Deliveries of one POST each, at most `slotCount`, in the order in which they were due.
    ///
    /// - Parameters:
    ///   - heads: due, each first in its conversations.
    ///   - slotCount: POSTs that may start now, 1 or more.
    ///   - followers: those behind a head in its only conversation, in order.
    /// - Returns: none of them empty; heads for which there was no room are left out.
    /// - Throws: what `followers` throws.
    func plan(
        _ heads: [Delivery], slotCount: Int,
        followers: (Delivery, _ limit: Int) throws(QueueError) -> [Delivery]
    ) throws(QueueError) -> [[Delivery]] {
        precondition(slotCount > 0, "there is room for a request")
        guard countMax > 1 else { return heads.prefix(slotCount).map { [$0] } }
        var units: [[Delivery]] = []
        var rest = heads[...]
        while units.count < slotCount, let first = rest.popFirst() {
            guard var draft = Draft(first) else {
                units.append([first])
                continue
            }
            // Evenly: no request carries everything while others have nothing to do.
            let share = (rest.count + slotCount - units.count) / (slotCount - units.count)
            while draft.deliveries.count < min(share, countMax), let next = rest.first,
                add(next, to: &draft)
            {
                rest.removeFirst()
            }
            for head in draft.deliveries where draft.deliveries.count < countMax {
                let behind = try followers(head, countMax - draft.deliveries.count)
                for follower in behind {
                    guard add(follower, to: &draft) else { break }
                }
            }
            units.append(draft.deliveries)
        }
        return units
    }

    /// - Returns: whether it fits, and may travel with the others.
    private func add(_ delivery: Delivery, to draft: inout Draft) -> Bool {
        guard draft.deliveries.count < countMax, Self.mayTravel(delivery),
            Self.canShare(draft.deliveries[0], delivery),
            let entry = BatchBody.entry(of: delivery.body)
        else { return false }
        let byteCount = BatchBody.byteCount(
            entryByteCount: draft.entryByteCount + entry.count,
            bodyCount: draft.deliveries.count + 1)
        guard byteCount <= byteCountMax else { return false }
        draft.add(delivery, entry: entry)
        return true
    }

    /// Not failed since it was made or replayed.
    private static func mayTravel(_ delivery: Delivery) -> Bool { delivery.ageStarted == nil }

    /// One signature and one `X-Delivery-Replay` must be true of all of them.
    private static func canShare(_ left: Delivery, _ right: Delivery) -> Bool {
        left.envelope.secretFingerprint == right.envelope.secretFingerprint
            && left.replayCount == right.replayCount
            && left.envelope.contentType == right.envelope.contentType
    }
}
