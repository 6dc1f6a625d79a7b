import Dispatch
import Synchronization

/// Searches objects of a lake for a message, several at a time.
///
/// Memory: what ``ObjectText`` needs, for each of ``LakeStore/readersMax`` readers.
struct LakeSearch {
    let store: any LakeStore
    let needles: MessageNeedles

    /// What one object came to.
    struct Outcome: Sendable {
        var statuses: [FoundStatus] = []
        /// Why it could not be read to its end.
        var trouble: String?
    }

    /// - Returns: an outcome for each object, in their order.
    func search(_ objects: [StoredObject]) -> [Outcome] {
        let next = Mutex(0)
        let outcomes = Mutex([Outcome](repeating: Outcome(), count: objects.count))
        // Readers wait for the network or for a core; each takes the next object that nobody has.
        let (store, needles) = (store, needles)
        DispatchQueue.concurrentPerform(iterations: min(store.readersMax, objects.count)) { _ in
            let search = ObjectSearch(needles: needles.bytes)
            while true {
                let index = next.withLock { index in
                    defer { index += 1 }
                    return index
                }
                guard index < objects.count else { return }
                let outcome = Self.outcome(of: objects[index], search, store, needles)
                outcomes.withLock { $0[index] = outcome }
            }
        }
        return outcomes.withLock { $0 }
    }

    private static func outcome(
        of object: StoredObject,
        _ search: ObjectSearch,
        _ store: any LakeStore,
        _ needles: MessageNeedles
    ) -> Outcome {
        var outcome = Outcome()
        do throws(LakeReadError) {
            let isWhole = try search.lines(
                { (body) throws(LakeReadError) in try store.read(object, body) },
                { line in
                    let status = FoundStatus(
                        line: line, of: needles.text, webhook: nil, object: object.name)
                    if let status { outcome.statuses.append(status) }
                })
            if !isWhole { outcome.trouble = "\(object.name) is cut off, or no gzip" }
        } catch {
            outcome.trouble = error.message
        }
        return outcome
    }
}
