import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_478_399_123, "2026-11-23T23:59:59.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func `a moment is written and read as RFC 3339`(milliseconds: Int64, text: String) {
        #expect(Timestamp(rawValue: milliseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.rawValue == milliseconds)
    }

    @Test func `random moments agree with the C library and come back`() {
        var generator = SeededGenerator.announced("TimestampTests")
        let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999
        for _ in 0..<2_000 {
            let timestamp = Timestamp(rawValue: .random(in: range, using: &generator))
            var seconds = time_t(timestamp.seconds)
            var broken = tm()
            gmtime_r(&seconds, &broken)
            let date = timestamp.date
            #expect(
                [date.year, date.month, date.day, date.hour, date.minute, date.second]
                    == [
                        broken.tm_year + 1_900, broken.tm_mon + 1, broken.tm_mday, broken.tm_hour,
                        broken.tm_min, broken.tm_sec,
                    ].map(Int.init))
            #expect(
                Timestamp(rfc3339: timestamp.rfc3339) == timestamp)
        }
    }

    @Test(
        arguments: [
            ("2026-11-23T23:59:59Z", 1_795_478_399_000),
            ("2026-11-23T23:59:59.1Z", 1_795_478_399_100),
            ("2026-11-23T23:59:59.123999999Z", 1_795_478_399_123),
            ("2026-11-24T00:59:59+01:00", 1_795_478_399_000),
            ("2026-11-23T18:29:59-05:30", 1_795_478_399_000),
        ] as [(String, Int64)])
    func `other forms of RFC 3339 are read`(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.rawValue == milliseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-23", "2026-11-23T23:59:59", "2026-11-23 23:59:59Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T23:60:00Z", "2026-11-23T23:59:60Z", "2026-11-23T23:59:59.Z",
        "2026-11-23T23:59:59.1234567890Z", "2026-11-23T23:59:59Zx", "+026-11-23T23:59:59Z",
        "2026-11-23T23:59:59+24:00", "2026-11-23T23:59:59+0100", "２026-11-23T23:59:59Z",
    ])
    func `anything else is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `the ends of time have a text`() {
        #expect(Timestamp(rawValue: .max).rfc3339.hasSuffix("Z"))
        #expect(Timestamp(rawValue: .min).rfc3339.hasPrefix("-"))
        #expect(Timestamp(seconds: .max).rawValue == .max)
        #expect(Timestamp(seconds: .min).rawValue == .min)
    }

    @Test func `durations move a moment by whole milliseconds`() {
        let start = Timestamp(rawValue: 1_000)
        #expect((start + .seconds(1.5)).rawValue == 2_500)
        #expect((start - .microseconds(999)).rawValue == 1_000)
        #expect(Timestamp(rawValue: 5).since(Timestamp(rawValue: 8)) == .milliseconds(-3))
        #expect(Timestamp(rawValue: -1).seconds == -1)
        #expect(Duration.milliseconds(2_500).secondsFraction == 2.5)
    }

    @Test func `the monotonic clock never goes back`() {
        var last = MonotonicClock.now()
        for _ in 0..<10_000 {
            let now = MonotonicClock.now()
            #expect(now >= last)
            last = now
        }
    }
}
