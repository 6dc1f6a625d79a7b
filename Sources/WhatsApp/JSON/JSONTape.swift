/// One value, or one key of an object, as the range of its bytes.
struct JSONNode {
    enum Kind: UInt8 {
        case object
        case array
        case string
        case number
        /// `true`, `false` or `null`.
        case literal
        /// The key of the member whose value is the next node.
        case key
    }

    /// Offset of the first byte; that of the quote for strings and keys.
    let start: UInt32
    /// Offset behind the last byte.
    var end: UInt32
    /// Index of the node that follows this one and everything inside it.
    var next: UInt32
    let kind: Kind
    /// A string or key in which a backslash stands: to be decoded before it is compared.
    var hasEscapes: Bool
}

/// What a scan of a JSON text leaves: its upper levels as a flat list of nodes in text order.
///
/// An object is followed by key, value, key, value …; an array by its elements. Levels below
/// ``JSONScanner/recordedDepthMax`` are checked but leave no nodes: nobody asks for them, and the
/// tape of a hostile body stays small.
struct JSONTape {
    var nodes: [JSONNode] = []
    /// White space stands outside strings, so a line made of these bytes must be minified.
    var hasWhiteSpace = false
    /// Offsets of escapes (of their backslash) that are half of a surrogate pair; ascending.
    var loneSurrogates: [Int] = []

    /// Forgets everything but keeps the memory, for the next text.
    mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        loneSurrogates.removeAll(keepingCapacity: true)
        hasWhiteSpace = false
    }
}
