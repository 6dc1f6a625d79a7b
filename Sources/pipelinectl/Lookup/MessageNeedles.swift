/// A message's id as it may stand in a body.
struct MessageNeedles {
    /// The id itself.
    let text: String

    private static let byteCountMax = 512

    /// - Returns: `nil` for what cannot be an id of a message: nothing, or with a blank, a quote, a
    ///   backslash or a control character in it, or endless.
    init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        }
        guard isPlain, (4...Self.byteCountMax).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    /// As it is, and with its slashes escaped, as WhatsApp writes them on the wire.
    var bytes: ([UInt8], [UInt8]) { (Array(text.utf8), Array(escaped.utf8)) }

    private var escaped: String {
        text.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
    }
}
