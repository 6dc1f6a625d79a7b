/// What an event is told from its doubles by: 16 bytes, the same on every host.
///
/// The first half of SHA-256 over its kind, its phone number id and its object's bytes as they
/// were sent, each with its length in front. A resend has the same bytes, so it has the same key;
/// the id of a message and its status would not do, since group receipts repeat both.
public struct EventKey: Hashable, Sendable, CustomStringConvertible {
    /// Bytes 0 to 7, the first one highest.
    public let high: UInt64
    /// Bytes 8 to 15, the first one highest.
    public let low: UInt64

    /// Takes the two halves as they were stored.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Computes the key of one event.
    ///
    /// - Parameters:
    ///   - kind: ``EventKind/status`` or ``EventKind/message``; others are not told from doubles.
    ///   - phoneNumberID: `phone_number_id` as it stands in the body, quotes included; may be
    ///     empty.
    ///   - object: the element's bytes as they were sent.
    public init(
        kind: EventKind, phoneNumberID: UnsafeRawBufferPointer, object: UnsafeRawBufferPointer
    ) {
        self.init(
            kind: kind, phoneNumberID: phoneNumberID, object: object, hasher: SHA256Hasher()
        )
    }

    init(
        kind: EventKind, phoneNumberID: UnsafeRawBufferPointer, object: UnsafeRawBufferPointer,
        hasher: SHA256Hasher
    ) {
        hasher.updateFramed(kind.text)
        hasher.updateFramed(phoneNumberID)
        hasher.updateFramed(object)
        let words = hasher.finish().words
        high = words.0
        low = words.1
    }

    /// 32 lower-case hexadecimal digits.
    public var hex: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The same as ``hex``.
    public var description: String { hex }

    /// Appends the 32 digits of ``hex``.
    func append(to text: inout [UInt8]) {
        withUnsafeBytes(of: high.bigEndian) { Hexadecimal.append($0, to: &text) }
        withUnsafeBytes(of: low.bigEndian) { Hexadecimal.append($0, to: &text) }
    }
}
