/// Finds lines in an object of the lake, or in a spool file.
///
/// Memory: the longest line and two buffers, whatever the object's size.
struct ObjectSearch {
    private let finders: [ByteFinder]

    init(needles: ([UInt8], [UInt8])) {
        let both = needles.0 == needles.1 ? [needles.0] : [needles.0, needles.1]
        finders = both.map(ByteFinder.init)
    }

    /// Calls `body` with each line that holds one of the needles, without its newline.
    ///
    /// - Parameters:
    ///   - read: hands over the object's bytes as they are stored, in order.
    ///   - body: gets the lines.
    /// - Returns: false where the object is cut off or no gzip.
    /// - Throws: what `read` throws.
    func lines(
        _ read: ((UnsafeRawBufferPointer) -> Void) throws(LakeReadError) -> Void,
        _ body: @escaping ([UInt8]) -> Void
    ) throws(LakeReadError) -> Bool {
        let text = ObjectText()
        try read { bytes in text.feed(bytes) { search($0, body) } }
        return text.isWhole
    }

    /// The same for a file.
    ///
    /// - Parameters:
    ///   - path: of an object or a spool file.
    ///   - body: gets the lines.
    /// - Returns: false where it cannot be read, is cut off or no gzip.
    func lines(in path: String, _ body: @escaping ([UInt8]) -> Void) -> Bool {
        let isWhole = try? lines(
            { (piece) throws(LakeReadError) in try DirectoryStore.read(file: path, piece) }, body)
        return isWhole ?? false
    }

    private func search(_ lines: UnsafeRawBufferPointer, _ body: ([UInt8]) -> Void) {
        var found: Set<Int> = []
        for finder in finders {
            var start = 0
            while let hit = finder.first(in: lines, from: start) {
                let end = ObjectText.lineEnd(in: lines, from: hit)
                let line = lines[..<hit].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                if found.insert(line).inserted { body(Array(lines[line..<end - 1])) }
                start = end
            }
        }
    }
}
