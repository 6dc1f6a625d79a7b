import Base
import Synchronization

/// Takes a webhook apart: statuses for the lake, everything else for PHP, nothing re-serialised.
///
/// Promises:
/// - What goes where is the table ``WebhookContent``; each event of a body stands in exactly one
///   place, or in two where FORWARD_STATUSES asks for it.
/// - Every value that goes on has the bytes it came with. A body with one part and no status for
///   the lake is passed on whole; any other is cut, never written anew.
/// - Time and memory grow with the body, whatever stands in it. It does no input or output.
///
///       body ──scan──▶ tape ──read──▶ envelope ──▶ statuses            (lake)
///                                          └─plan──▶ parts ──cut──▶ bytes  (PHP)
///
/// Any number of threads may use one splitter at once; it keeps the memory of past scans.
public struct WebhookSplitter: Sendable {
    private let mode: SplitMode
    private let forwardedStatuses: [[UInt8]]
    private let scratches = ScratchPool()

    /// Makes a splitter.
    ///
    /// - Parameters:
    ///   - split: `FORWARD_SPLIT`.
    ///   - forwardedStatuses: `FORWARD_STATUSES`, such as `failed`: these go to PHP too.
    public init(split: SplitMode, forwardedStatuses: Set<String>) {
        mode = split
        self.forwardedStatuses = forwardedStatuses.map { Array($0.utf8) }
    }

    /// Splits a body, with all its events, doubles too.
    ///
    /// - Parameter body: the bytes as they were received.
    /// - Returns: its events, or why it cannot be read.
    public func split(_ body: [UInt8]) -> SplitResult {
        split(body, leavingOut: nil)
    }

    /// Splits a body without the events that PHP has had.
    ///
    /// - Parameters:
    ///   - body: the bytes as they were received.
    ///   - dropping: keys of messages (and forwarded statuses) to leave out; of equal ones inside
    ///     the body the first is kept. The statuses for the lake are not touched by this.
    /// - Returns: its events, or why it cannot be read.
    public func split(_ body: [UInt8], dropping: Set<EventKey>) -> SplitResult {
        split(body, leavingOut: dropping)
    }

    private func split(_ body: [UInt8], leavingOut dropping: Set<EventKey>?) -> SplitResult {
        let scratch = scratches.take()
        defer { scratches.give(scratch) }

        return body.withUnsafeBufferPointer { bytes in
            do throws(UnparseableReason) {
                try JSONScanner.scan(bytes, into: &scratch.tape)
                let document = JSONDocument(bytes: bytes, tape: scratch.tape)
                var reader = EnvelopeReader(
                    document: document, forwardedStatuses: forwardedStatuses
                )
                try reader.read()
                return .events(
                    assemble(reader.envelope, document, scratch.hasher, dropping: dropping)
                )
            } catch {
                return .unparseable(reason: error)
            }
        }
    }

    private func assemble(
        _ envelope: Envelope, _ document: JSONDocument, _ hasher: SHA256Hasher,
        dropping: Set<EventKey>?
    ) -> SplitWebhook {
        let keyMaker = EventKeyMaker(document: document, hasher: hasher)
        let statuses = envelope.statuses.map { found in
            Status(
                found, at: envelope.places[found.place], in: document, keyMaker: keyMaker
            )
        }
        let planner = PartPlanner(document: document, envelope: envelope, keyMaker: keyMaker)
        let plan = planner.plan(mode, dropping: dropping)
        return SplitWebhook(
            statuses: statuses, parts: plan.parts,
            eventCount: envelope.events.count, droppedCount: plan.droppedCount
        )
    }
}

extension Status {
    fileprivate init(
        _ found: FoundStatus, at place: Place, in document: JSONDocument, keyMaker: EventKeyMaker
    ) {
        let contact = place.contacts.recipient(of: found.fields, in: document)
        let nodes = [
            found.node, contact, place.wabaID, place.phoneNumberID, place.displayPhoneNumber,
        ]
        object = document.range(found.node)
        key = keyMaker.key(.status, found.node, phone: place)
        eventSeconds = document.seconds(found.fields.timestamp)
        wabaID = place.wabaID.map(document.range)
        phoneNumberID = place.phoneNumberID.map(document.range)
        displayPhoneNumber = place.displayPhoneNumber.map(document.range)
        self.contact = contact.map(document.range)
        wamid = document.present(found.fields.id).map(document.range)
        status = document.present(found.fields.status).map(document.range)
        hasLoneSurrogate = nodes.contains { document.hasLoneSurrogate($0) }
        hasWhiteSpace = document.tape.hasWhiteSpace
        ownKeys = found.fields.ownKeys
    }
}

extension JSONDocument {
    /// Whether half of a surrogate pair stands as an escape inside the node.
    fileprivate func hasLoneSurrogate(_ node: Int?) -> Bool {
        guard !tape.loneSurrogates.isEmpty, let range = node.map(range) else { return false }
        // The first one at or behind the start, by halving: there may be as many as statuses.
        var (low, high) = (0, tape.loneSurrogates.count)
        while low < high {
            let middle = (low + high) / 2
            if tape.loneSurrogates[middle] < range.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < tape.loneSurrogates.count && tape.loneSurrogates[low] < range.upperBound
    }
}

/// What a split needs and the next one can use again.
///
/// `@unchecked Sendable`: exactly one split holds it between `take` and `give`, whose lock orders
/// one holder's writes before the next one's reads.
private final class Scratch: @unchecked Sendable {
    var tape = JSONTape()
    let hasher = SHA256Hasher()
}

private final class ScratchPool: Sendable {
    /// A tape grown beyond this, by a huge body, is let go: 16 bytes each.
    private static let nodeCapacityMax = 65_536
    /// More threads than this may split at once, but keep no memory for it.
    private static let idleCountMax = 16

    private let idle = Mutex<[Scratch]>([])

    func take() -> Scratch {
        idle.withLock { $0.popLast() } ?? Scratch()
    }

    func give(_ scratch: Scratch) {
        guard scratch.tape.nodes.capacity <= Self.nodeCapacityMax else { return }
        idle.withLock { idle in
            if idle.count < Self.idleCountMax { idle.append(scratch) }
        }
    }
}
