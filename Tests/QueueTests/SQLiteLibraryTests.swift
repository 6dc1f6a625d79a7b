import Testing

@testable import Queue

@Suite struct SQLiteLibraryTests {
    @Test(arguments: [
        (3_006_023, false), (3_007_000, true), (3_040_001, true), (3_044_005, true),
        (3_044_006, false), (3_044_999, false), (3_045_000, true), (3_046_001, true),
        (3_050_006, true), (3_050_007, false), (3_050_999, false), (3_051_000, true),
        (3_051_002, true), (3_051_003, false), (3_053_004, false), (4_000_000, false),
    ])
    func `the releases that can lose a commit are known on both sides of each bound`(
        number: Int, hasBug: Bool
    ) {
        #expect(SQLiteLibrary.Version(number: number).hasWALResetBug == hasBug)
    }

    @Test func `a version is written as people write it`() {
        #expect(SQLiteLibrary.Version(number: 3_040_001).description == "3.40.1")
        #expect(SQLiteLibrary.version > SQLiteLibrary.Version(number: 3_035_000))
    }
}
