import Base
import Testing

@testable import Workers

@Suite struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example.
    private let moment = Timestamp(seconds: 784_111_777)

    @Test func `seconds are read digit by digit and cannot overflow`() {
        #expect(RetryAfter.parse("0", now: moment) == .zero)
        #expect(RetryAfter.parse(" 120", now: moment) == .seconds(120))
        #expect(RetryAfter.parse("120 ", now: moment) == .seconds(120))
        let huge = String(repeating: "9", count: 400)
        #expect(RetryAfter.parse(huge, now: moment) == .seconds(1_000_000_000))
    }

    @Test(arguments: ["", " ", "-1", "+5", "1.5", "5s", "soon", "0x10", "१२"])
    func `what is no number and no date is no answer`(text: String) {
        #expect(RetryAfter.parse(text, now: moment) == nil)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ])
    func `a date in each of its three forms is the time until then`(text: String) {
        #expect(RetryAfter.parse(text, now: moment - .seconds(90)) == .seconds(90))
        #expect(RetryAfter.parse(text, now: moment + .seconds(90)) == .zero)
    }

    @Test func `dates are right across centuries and leap days`() {
        #expect(HTTPDate.parse("Thu, 01 Jan 1970 00:00:00 GMT") == Timestamp(seconds: 0))
        #expect(HTTPDate.parse("Tue, 29 Feb 2000 00:00:00 GMT")?.seconds == 951_782_400)
        #expect(HTTPDate.parse("Thu, 31 Dec 2026 23:59:59 GMT")?.seconds == 1_798_761_599)
        #expect(HTTPDate.parse("Fri, 01 Mar 2069 12:00:00 GMT")?.seconds == 3_129_364_800)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 199 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
    ])
    func `a broken date is no date`(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
