import Base
import Glibc
import Queue
import TestSupport
import Testing

@testable import Workers

@Suite struct SlicePaceTests {
    @Test func `a slice that holds the gate too long is cut at once, in proportion`() {
        var pace = SlicePace()
        pace.learn(rowCount: 256, held: .milliseconds(20))
        #expect(pace.limit == 64)
    }

    @Test func `slices grow while they are quick and full`() {
        var pace = SlicePace()
        for _ in 0..<100 { pace.learn(rowCount: pace.limit, held: .microseconds(500)) }
        #expect(pace.limit == SlicePace.limits.upperBound)
    }

    @Test func `a slice that ran dry does not grow the next`() {
        var pace = SlicePace()
        pace.learn(rowCount: 3, held: .microseconds(5))
        pace.learn(rowCount: 0, held: .zero)
        #expect(pace.limit == 256)
    }

    @Test func `the slowest disk leaves the smallest slice`() {
        var pace = SlicePace()
        pace.learn(rowCount: 256, held: .seconds(100))
        #expect(pace.limit == SlicePace.limits.lowerBound)
    }

    @Test func `whatever a row costs, slices come to hold the gate for less than the limit`() {
        for microseconds in [1, 10, 40, 200] {
            var pace = SlicePace()
            for _ in 0..<50 {
                let held = Duration.microseconds(microseconds * pace.limit)
                pace.learn(rowCount: pace.limit, held: held)
            }
            #expect(Duration.microseconds(microseconds * pace.limit) <= SlicePace.holdMax)
        }
    }
}

@Suite struct BallastTests {
    let ballast = Ballast(path: "/nowhere", reserveByteCount: 1_000)

    @Test func `it goes when half of the reserve is gone`() {
        #expect(ballast.step(freeByteCount: 500, isThere: true) == .keep)
        #expect(ballast.step(freeByteCount: 499, isThere: true) == .giveUp)
    }

    @Test func `giving it up never lifts free space to the reserve`() {
        for free in 0..<1_000 where ballast.step(freeByteCount: free, isThere: true) == .giveUp {
            #expect(free + ballast.byteCount < 1_000)
        }
    }

    @Test func `it is made with room to spare, so that it does not come and go`() {
        #expect(ballast.step(freeByteCount: 1_499, isThere: false) == .keep)
        #expect(ballast.step(freeByteCount: 1_500, isThere: false) == .make)
        for free in 0..<3_000 where ballast.step(freeByteCount: free, isThere: false) == .make {
            let left = free - ballast.byteCount
            #expect(ballast.step(freeByteCount: left, isThere: true) == .keep)
        }
    }

    @Test func `without a reserve there is none`() {
        let none = Ballast(path: "/nowhere", reserveByteCount: 0)
        #expect(none.step(freeByteCount: 0, isThere: true) == .keep)
        #expect(none.step(freeByteCount: 1 << 40, isThere: false) == .keep)
    }

    @Test func `it takes its space from the disk and gives it back`() throws {
        let directory = try TemporaryDirectory()
        let ballast = Ballast(path: directory.file("ballast"), reserveByteCount: 4 << 20)
        #expect(!ballast.isThere)
        try ballast.make()
        #expect(ballast.isThere)
        var status = stat()
        stat(ballast.path, &status)
        #expect(Int(status.st_blocks) * 512 >= 1 << 20)
        try ballast.giveUp()
        #expect(!ballast.isThere)
    }
}

@Suite struct CheckpointRuleTests {
    @Test func `a WAL within its limit is left alone`() {
        let rule = CheckpointRule(byteCountMax: 1_000)
        #expect(rule.mode(fileByteCount: 1_000, usedByteCount: 1_000) == nil)
    }

    @Test func `above the limit it is copied, far above it is cut`() {
        let rule = CheckpointRule(byteCountMax: 1_000)
        #expect(rule.mode(fileByteCount: 1_001, usedByteCount: 0) == .restart)
        #expect(rule.mode(fileByteCount: 500, usedByteCount: 1_001) == .restart)
        #expect(rule.mode(fileByteCount: 4_001, usedByteCount: 0) == .truncate)
    }

    @Test func `a file that keeps its size after a checkpoint is not copied again and again`() {
        var rule = CheckpointRule(byteCountMax: 1_000)
        rule.ran(isIncomplete: false, fileByteCount: 1_500)
        #expect(rule.mode(fileByteCount: 1_500, usedByteCount: 10) == nil)
        #expect(rule.mode(fileByteCount: 1_501, usedByteCount: 10) == .restart)
        #expect(rule.mode(fileByteCount: 1_500, usedByteCount: 1_001) == .restart)
    }

    @Test func `a checkpoint that a reader cut short is due again`() {
        var rule = CheckpointRule(byteCountMax: 1_000)
        rule.ran(isIncomplete: true, fileByteCount: 1_500)
        #expect(rule.mode(fileByteCount: 1_500, usedByteCount: 10) == .restart)
    }
}
