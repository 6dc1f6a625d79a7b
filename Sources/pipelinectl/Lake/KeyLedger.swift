import Base

/// Every event key that was met, to find those met twice, however many they are.
///
/// An external merge sort: keys are gathered up to a limit, sorted, and spilled as a run; at the
/// end the runs are merged, and equal keys come out beside each other. Memory: the limit while
/// gathering, then 64 KiB a run. Disk: 24 bytes a key, in a file without a name.
final class KeyLedger {
    /// One key, and which object it stood in, by a number of the caller's.
    struct Entry: Comparable {
        let high: UInt64
        let low: UInt64
        let object: UInt32

        static func < (left: Entry, right: Entry) -> Bool {
            if left.high != right.high { return left.high < right.high }
            if left.low != right.low { return left.low < right.low }
            return left.object < right.object
        }

        func hasKey(of other: Entry) -> Bool { high == other.high && low == other.low }
    }

    private let directory: String
    private let entryCountMax: Int
    private var entries: [Entry] = []
    private var file: SpillFile?
    private var runs: [Range<Int>] = []

    /// - Parameters:
    ///   - directory: where runs are spilled; on a disk, not in memory.
    ///   - entryCountMax: keys in memory; 24 bytes each.
    init(spillingTo directory: String, entryCountMax: Int = 2_000_000) {
        precondition(entryCountMax > 0, "a run has at least one key")
        self.directory = directory
        self.entryCountMax = entryCountMax
    }

    /// Takes in a key.
    func add(_ entry: Entry) throws(SystemError) {
        if entries.count == entryCountMax { try spill() }
        entries.append(entry)
    }

    private func spill() throws(SystemError) {
        entries.sort()
        if file == nil { file = try SpillFile(in: directory) }
        guard let file else { preconditionFailure("a run is spilled into a file") }
        let start = file.byteCount
        var failure: SystemError?
        entries.withUnsafeBytes { bytes in
            do throws(SystemError) { try file.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        runs.append(start..<file.byteCount)
        entries.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with the entries of each key that was added more than once, in ascending order;
    /// the ledger is empty afterwards.
    func takeDoubles(_ body: ([Entry]) throws(SystemError) -> Void) throws(SystemError) {
        var group: [Entry] = []
        func take(_ entry: Entry) throws(SystemError) {
            if let first = group.first, !first.hasKey(of: entry) {
                if group.count > 1 { try body(group) }
                group.removeAll(keepingCapacity: true)
            }
            group.append(entry)
        }
        if let file {
            try spill()
            entries = []
            try merge(file, take)
        } else {
            entries.sort()
            for entry in entries { try take(entry) }
            entries = []
        }
        if group.count > 1 { try body(group) }
        file = nil
        runs = []
    }

    /// Hands out the entries of all runs in ascending order.
    private func merge(
        _ file: SpillFile,
        _ take: (Entry) throws(SystemError) -> Void
    ) throws(SystemError) {
        // A binary heap by each run's next entry: the smallest stands first.
        var heap: [RunReader] = []
        for run in runs {
            var reader = RunReader(file: file, rest: run)
            if try reader.advance() { heap.append(reader) }
        }
        heap.sort { $0.head < $1.head }
        while !heap.isEmpty {
            try take(heap[0].head)
            if try !heap[0].advance() {
                heap.swapAt(0, heap.count - 1)
                heap.removeLast()
            }
            Self.sink(&heap)
        }
    }

    private static func sink(_ heap: inout [RunReader]) {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].head < heap[smallest].head { smallest = child }
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}

/// Reads one run of a ledger from its file, a buffer at a time.
private struct RunReader {
    let file: SpillFile
    /// What is not in the buffer yet.
    var rest: Range<Int>
    private var buffer: [KeyLedger.Entry] = []
    private var next = 0
    private(set) var head = KeyLedger.Entry(high: 0, low: 0, object: 0)

    private static let stride = MemoryLayout<KeyLedger.Entry>.stride
    private static let bufferCount = 65_536 / stride

    init(file: SpillFile, rest: Range<Int>) {
        self.file = file
        self.rest = rest
    }

    /// Makes the next entry the head.
    ///
    /// - Returns: false at the end.
    mutating func advance() throws(SystemError) -> Bool {
        if next == buffer.count {
            guard !rest.isEmpty else { return false }
            try fill()
        }
        head = buffer[next]
        next += 1
        return true
    }

    private mutating func fill() throws(SystemError) {
        let count = min(Self.bufferCount, rest.count / Self.stride)
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count * Self.stride, alignment: MemoryLayout<KeyLedger.Entry>.alignment)
        defer { bytes.deallocate() }

        try file.read(at: rest.lowerBound, into: bytes)
        rest = rest.lowerBound + bytes.count..<rest.upperBound
        buffer = Array(bytes.bindMemory(to: KeyLedger.Entry.self))
        next = 0
    }
}
