/// Reads lines of the lake back: whether each is a JSON object, and its key.
///
/// Keeps its memory from line to line. Not `Sendable`: one thread at a time.
public struct StatusLineReader {
    private var tape = JSONTape()

    /// What a line turned out to be.
    public enum Reading: Equatable, Sendable {
        /// A status with the key that ``StatusLine`` put in front.
        case keyed(EventKey)
        /// A JSON object without one: WhatsApp used the key itself, or somebody else wrote it.
        case unkeyed
        /// What a query engine would stumble over, and why.
        case unreadable(String)
    }

    /// Ready for the first line.
    public init() {}

    /// Reads one line, without its newline.
    public mutating func read(_ line: UnsafeBufferPointer<UInt8>) -> Reading {
        do throws(UnparseableReason) {
            try JSONScanner.scan(line, into: &tape)
        } catch {
            return .unreadable(error.description)
        }
        guard tape.loneSurrogates.isEmpty else { return .unreadable("half of a surrogate pair") }
        let document = JSONDocument(bytes: line, tape: tape)
        guard document.kind(document.root) == .object else { return .unreadable("no object") }
        // The first member, in every line that StatusLine writes.
        guard let value = document.member(.eventKey, of: document.root),
            document.kind(value) == .string, let key = Self.key(line, document.range(value))
        else { return .unkeyed }
        return .keyed(key)
    }

    /// The 32 digits between the quotes.
    private static func key(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> EventKey? {
        guard range.count == 34 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for offset in 0..<32 {
            let digit = Hexadecimal.value(ofLowerCase: line[range.lowerBound + 1 + offset])
            guard digit < 16 else { return nil }
            if offset < 16 {
                halves.0 = halves.0 << 4 | UInt64(digit)
            } else {
                halves.1 = halves.1 << 4 | UInt64(digit)
            }
        }
        return EventKey(high: halves.0, low: halves.1)
    }
}
