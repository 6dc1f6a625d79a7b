import TestSupport
import Testing

@testable import pipelinectl

@Suite struct KeyLedgerTests {
    private func doubles(_ entries: [KeyLedger.Entry], inMemory: Int) throws -> [[KeyLedger.Entry]]
    {
        let directory = try TemporaryDirectory()
        let ledger = KeyLedger(spillingTo: directory.path, entryCountMax: inMemory)
        for entry in entries { try ledger.add(entry) }
        var groups: [[KeyLedger.Entry]] = []
        try ledger.takeDoubles { groups.append($0) }
        return groups
    }

    @Test func `keys that were added more than once are found, however small the memory`() throws {
        var generator = SeededGenerator.announced("KeyLedgerTests")
        for _ in 0..<60 {
            let count = Int.random(in: 0...600, using: &generator)
            let width = UInt64.random(in: 1...400, using: &generator)
            let entries = (0..<count).map { number in
                KeyLedger.Entry(
                    high: UInt64.random(in: 0..<width, using: &generator),
                    low: UInt64.random(in: 0..<2, using: &generator), object: UInt32(number))
            }
            // By another way: a dictionary of everything.
            let expected = Dictionary(grouping: entries) { [$0.high, $0.low] }.values
                .filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
            let inMemory = Int.random(in: 1...700, using: &generator)
            #expect(try doubles(entries, inMemory: inMemory) == expected)
        }
    }

    @Test func `runs longer than a buffer are merged whole`() throws {
        // 65,536 bytes are 2,730 entries; the last key of the first run comes again in the third.
        let entries = (0..<9_000).map { number in
            KeyLedger.Entry(high: 0, low: UInt64(number == 8_999 ? 2_999 : number), object: 7)
        }
        let found = try doubles(entries, inMemory: 3_000)
        #expect(found.map { $0.map(\.low) } == [[2_999, 2_999]])
    }
}
