import TestSupport
import Testing

@testable import Queue

@Suite struct DamagedTableTests {
    /// Reads a made-up table: ids that are there, and pages of ids that throw.
    private func walk(
        ids: [Int64], damaged: [ClosedRange<Int64>], last: Int64
    ) -> (read: [Int64], lost: [ClosedRange<Int64>]) {
        var read: [Int64] = []
        let table = DamagedTable(last: last) { first, limit, take in
            // A look descends to the page of `first`, whether or not there is such a row.
            if damaged.contains(where: { $0.contains(first) }) { return false }
            var left = limit
            for id in ids where id >= first {
                if left == 0 { return true }
                if damaged.contains(where: { $0.contains(id) }) { return false }
                if limit > 1 { read.append(id) }
                take(id)
                left -= 1
            }
            return true
        }
        let lost = table.walk()
        return (read, lost)
    }

    @Test func `a table without damage is read once, in order`() {
        let (read, lost) = walk(ids: Array(1...100), damaged: [], last: 100)
        #expect(read == Array(1...100))
        #expect(lost.isEmpty)
    }

    @Test func `damage in the middle is stepped over, and only that is lost`() {
        let (read, lost) = walk(ids: Array(1...1_000), damaged: [300...399], last: 1_000)
        #expect(read == Array(1...299) + Array(400...1_000))
        #expect(lost == [300...399])
    }

    @Test func `damage at the end is lost to the last id there can be`() {
        let (read, lost) = walk(ids: Array(1...90), damaged: [81...200], last: 120)
        #expect(read == Array(1...80))
        #expect(lost == [81...120])
    }

    @Test func `where nothing can be read all of it is lost`() {
        let (read, lost) = walk(ids: Array(1...90), damaged: [0...Int64.max], last: 90)
        #expect(read.isEmpty)
        #expect(lost == [1...90])
    }

    @Test func `whatever is damaged, each row is read or said to be lost`() {
        var generator = SeededGenerator.announced("damaged table")
        for _ in 0..<300 {
            let last = Int64.random(in: 1...3_000, using: &generator)
            let ids = (1...last).filter { _ in Int.random(in: 0..<3, using: &generator) > 0 }
            let damaged = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                let start = Int64.random(in: 1...last, using: &generator)
                return start...start + Int64.random(in: 0...200, using: &generator)
            }
            let (read, lost) = walk(ids: ids, damaged: damaged, last: last)
            #expect(Set(read).count == read.count, "read twice")
            for id in ids {
                let isDamaged = damaged.contains { $0.contains(id) }
                #expect(read.contains(id) || lost.contains { $0.contains(id) })
                #expect(!isDamaged || !read.contains(id))
            }
        }
    }
}
