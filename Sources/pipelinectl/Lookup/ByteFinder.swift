import Glibc

/// Finds one byte string in others (Boyer, Moore, Horspool): most bytes are never looked at.
struct ByteFinder {
    private let needle: [UInt8]
    /// How far to go on, by the byte that stands under the needle's last one.
    private let steps: [Int]

    /// Prepares to find `needle`, which is not empty.
    init(_ needle: [UInt8]) {
        precondition(!needle.isEmpty, "something must be looked for")
        self.needle = needle
        var steps = [Int](repeating: needle.count, count: 256)
        for (offset, byte) in needle.dropLast().enumerated() {
            steps[Int(byte)] = needle.count - 1 - offset
        }
        self.steps = steps
    }

    /// The first place at or behind `start` where it stands.
    func first(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let last = needle.count - 1
        var offset = start
        while offset + last < bytes.count {
            let byte = bytes[offset + last]
            if byte == needle[last], stands(at: offset, in: bytes) { return offset }
            offset += steps[Int(byte)]
        }
        return nil
    }

    private func stands(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        return memcmp(base + offset, needle, needle.count) == 0
    }
}
