import Base
import Testing

@testable import Workers

@Suite struct BatchRulesTests {
    let rules = BatchRules(lineByteCountMax: 1_000, ageMax: .seconds(60), statusCountMax: 10)
    let noon = LakeFixture.noon

    func measure(bytes: Int = 500, count: Int = 5, at receivedAt: Timestamp) -> BatchRules.Measure {
        BatchRules.Measure(
            hour: BatchRules.hour(of: receivedAt), lineByteCount: bytes, statusCount: count,
            firstReceivedAt: receivedAt, openedAt: .seconds(100))
    }

    @Test func `a webhook that fits to the last byte is taken, one byte more begins a batch`() {
        let batch = measure(at: noon)
        #expect(!rules.closes(batch, before: noon, lineByteCount: 500, statusCount: 1))
        #expect(rules.closes(batch, before: noon, lineByteCount: 501, statusCount: 1))
    }

    @Test func `the number of statuses is bounded too`() {
        let batch = measure(at: noon)
        #expect(!rules.closes(batch, before: noon, lineByteCount: 1, statusCount: 5))
        #expect(rules.closes(batch, before: noon, lineByteCount: 1, statusCount: 6))
        #expect(!rules.isFull(measure(bytes: 999, count: 9, at: noon)))
        #expect(rules.isFull(measure(bytes: 1_000, count: 9, at: noon)))
        #expect(rules.isFull(measure(bytes: 999, count: 10, at: noon)))
    }

    @Test func `the last millisecond of an hour belongs to it, the next one does not`() {
        let hour = Timestamp(rawValue: noon.rawValue - noon.rawValue % 3_600_000)
        let last = hour + .milliseconds(3_599_999)
        let batch = measure(at: hour)
        #expect(!rules.closes(batch, before: last, lineByteCount: 1, statusCount: 1))
        #expect(
            rules.closes(batch, before: last + .milliseconds(1), lineByteCount: 1, statusCount: 1))
    }

    @Test func `a clock that was set back over the hour closes the batch`() {
        let batch = measure(at: noon)
        #expect(
            rules.closes(batch, before: noon - .seconds(3_600), lineByteCount: 1, statusCount: 1))
        #expect(
            !rules.closes(batch, before: noon - .seconds(60), lineByteCount: 1, statusCount: 1))
    }

    @Test func `hours before 1970 are rounded down`() {
        #expect(BatchRules.hour(of: Timestamp(rawValue: -1)) == -1)
        #expect(BatchRules.hour(of: Timestamp(rawValue: 0)) == 0)
        #expect(BatchRules.hour(of: Timestamp(rawValue: -3_600_000)) == -1)
        #expect(BatchRules.hour(of: Timestamp(rawValue: -3_600_001)) == -2)
    }

    @Test func `age counts from receipt once the log is read to its end`() {
        let left = rules.timeLeft(
            for: measure(at: noon), now: noon + .seconds(59), uptime: .seconds(101),
            isCaughtUp: true)
        #expect(left == .seconds(1))
    }

    @Test func `in a backlog age counts from opening, or each slice would become an object`() {
        let left = rules.timeLeft(
            for: measure(at: noon), now: noon + .seconds(86_400), uptime: .seconds(101),
            isCaughtUp: false)
        #expect(left == .seconds(59))
    }

    @Test func `a wall clock that was set back does not keep a batch open`() {
        let left = rules.timeLeft(
            for: measure(at: noon), now: noon - .seconds(86_400), uptime: .seconds(160),
            isCaughtUp: true)
        #expect(left == .zero)
    }
}
