/// Puts several bodies into one of WhatsApp's own envelopes: one element of `entry` for each.
///
/// Nothing is written anew: each element has the bytes it came with, so a receiver that reads
/// WhatsApp's webhooks reads these.
public enum BatchBody {
    private static let head = Array(#"{"object":"whatsapp_business_account","entry":["#.utf8)
    private static let tail = Array("]}".utf8)

    /// Bytes of a body of `bodyCount` elements that have `entryByteCount` bytes together.
    public static func byteCount(entryByteCount: Int, bodyCount: Int) -> Int {
        head.count + tail.count + entryByteCount + max(0, bodyCount - 1)
    }

    /// The one element of `entry`, where a body is WhatsApp's envelope around it and nothing else.
    ///
    /// - Returns: its place in the body; nil for what must go alone: other keys beside `object` and
    ///   `entry`, no or several elements, another object, no JSON.
    public static func entry(of body: [UInt8]) -> Range<Int>? {
        body.withUnsafeBufferPointer { bytes in
            var tape = JSONTape()
            do throws(UnparseableReason) {
                try JSONScanner.scan(bytes, into: &tape)
            } catch {
                return nil
            }
            let document = JSONDocument(bytes: bytes, tape: tape)
            return onlyEntry(of: document)
        }
    }

    private static func onlyEntry(of document: JSONDocument) -> Range<Int>? {
        guard document.kind(document.root) == .object,
            Array(document.keys(of: document.root)).count == 2,
            let object = document.member(.object, of: document.root),
            document.isText(object, equalTo: "whatsapp_business_account"),
            let entries = document.member(.entry, of: document.root),
            document.kind(entries) == .array
        else { return nil }
        let elements = Array(document.elements(of: entries))
        guard elements.count == 1, document.kind(elements[0]) == .object else { return nil }
        return document.range(elements[0])
    }

    /// The body that holds these elements, in this order.
    ///
    /// - Parameter entries: bodies with their places, as ``entry(of:)`` found them; not empty.
    /// - Returns: the bytes, as long as ``byteCount(entryByteCount:bodyCount:)`` says.
    public static func join(_ entries: [(body: [UInt8], entry: Range<Int>)]) -> [UInt8] {
        precondition(!entries.isEmpty, "a batch holds at least one delivery")
        var joined = head
        for (body, entry) in entries {
            if joined.count > head.count { joined.append(ASCII.comma) }
            joined += body[entry]
        }
        return joined + tail
    }
}
