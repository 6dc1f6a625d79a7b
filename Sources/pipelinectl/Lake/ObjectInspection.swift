import Base
import WhatsApp

/// One object read from its first byte to its last: hash, lines, keys.
///
/// Memory: what ``ObjectText`` needs. Not `Sendable`.
final class ObjectInspection {
    private let hasher = SHA256Hasher()
    private var reader = StatusLineReader()

    /// What an object turned out to hold.
    struct Outcome: Equatable {
        var byteCount = 0
        var sha256 = ""
        var lineCount = 0
        var unkeyedCount = 0
        var unreadableCount = 0
        /// What is wrong with the first such line, and its number.
        var firstUnreadable: String?
        /// Whether it could be unpacked to its end, and ends with a line.
        var isWhole = false
    }

    /// Reads an object of `store`; `add` gets the key of each line that has one.
    func inspect(
        _ object: StoredObject,
        in store: any LakeStore,
        add: @escaping (EventKey) -> Void
    ) throws(LakeReadError) -> Outcome {
        let text = ObjectText()
        var outcome = Outcome()
        defer { _ = hasher.finishHex() }

        try store.read(object) { bytes in
            outcome.byteCount += bytes.count
            hasher.update(bytes)
            text.feed(bytes) { inspect(lines: $0, &outcome, add) }
        }
        outcome.sha256 = hasher.finishHex()
        outcome.isWhole = text.isWhole
        outcome.unreadableCount += text.overlongLineCount
        if text.overlongLineCount > 0, outcome.firstUnreadable == nil {
            outcome.firstUnreadable = "a line longer than any of ours"
        }
        return outcome
    }

    private func inspect(
        lines: UnsafeRawBufferPointer,
        _ outcome: inout Outcome,
        _ add: @escaping (EventKey) -> Void
    ) {
        var start = 0
        while start < lines.count {
            let end = ObjectText.lineEnd(in: lines, from: start)
            let line = UnsafeRawBufferPointer(rebasing: lines[start..<end - 1])
            outcome.lineCount += 1
            switch reader.read(line.bindMemory(to: UInt8.self)) {
            case .keyed(let key): add(key)
            case .unkeyed: outcome.unkeyedCount += 1
            case .unreadable(let reason):
                outcome.unreadableCount += 1
                if outcome.firstUnreadable == nil {
                    outcome.firstUnreadable = "line \(outcome.lineCount): \(reason)"
                }
            }
            start = end
        }
    }
}
