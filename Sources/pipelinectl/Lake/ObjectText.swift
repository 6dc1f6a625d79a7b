import Glibc

/// The lines of an object, from its bytes as they come in: unpacked where they are gzip.
///
/// Memory: the longest line and two buffers, whatever the object's size. Not `Sendable`.
final class ObjectText {
    private var gunzip: Gunzip?
    private var isFirst = true
    private var isBroken = false
    /// The beginning of a line whose end has not come in yet.
    private var begun: [UInt8] = []
    /// Lines longer than any of ours, which were passed over.
    private(set) var overlongLineCount = 0
    private var isInsideOverlong = false

    /// None of ours is longer: a webhook has at most 4 MiB.
    private static let lineBytesMax = 16 * 1_048_576
    private static let newline = UInt8(ascii: "\n")

    /// Whether everything that came in was readable and ended with a line.
    var isWhole: Bool {
        !isBroken && begun.isEmpty && !isInsideOverlong && gunzip?.isFinished ?? true
    }

    /// Takes in the next bytes; `block` gets whole lines, several at a time, each with its newline.
    func feed(_ bytes: UnsafeRawBufferPointer, _ block: (UnsafeRawBufferPointer) -> Void) {
        guard !isBroken, !bytes.isEmpty else { return }
        if isFirst {
            isFirst = false
            // RFC 1952, 2.3.1: no JSON begins with it.
            if bytes[0] == 0x1F { gunzip = Gunzip() }
        }
        guard let gunzip else { return cut(bytes, block) }
        if !gunzip.feed(bytes, { cut($0, block) }) { isBroken = true }
    }

    private func cut(_ text: UnsafeRawBufferPointer, _ block: (UnsafeRawBufferPointer) -> Void) {
        guard let lastNewline = text.lastIndex(of: Self.newline) else {
            return keep(Slice(base: text, bounds: 0..<text.count))
        }
        let end = lastNewline + 1
        var start = 0
        if !begun.isEmpty || isInsideOverlong {
            start = Self.lineEnd(in: text, from: 0)
            finishLine(text[..<start], block)
        }
        if start < end { block(UnsafeRawBufferPointer(rebasing: text[start..<end])) }
        if end < text.count { keep(text[end...]) }
    }

    /// Offset behind the newline of the line that `start` is in, or the end of `text`.
    static func lineEnd(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = text.baseAddress,
            let newline = memchr(base + start, Int32(newline), text.count - start)
        else { return text.count }
        return UnsafeRawPointer(newline) - base + 1
    }

    private func finishLine(
        _ rest: Slice<UnsafeRawBufferPointer>,
        _ block: (UnsafeRawBufferPointer) -> Void
    ) {
        if isInsideOverlong {
            isInsideOverlong = false
        } else {
            begun += rest
            begun.withUnsafeBytes(block)
        }
        begun.removeAll(keepingCapacity: true)
    }

    private func keep(_ text: Slice<UnsafeRawBufferPointer>) {
        guard !isInsideOverlong else { return }
        begun += text
        guard begun.count > Self.lineBytesMax else { return }
        overlongLineCount += 1
        isInsideOverlong = true
        begun = []
    }
}
