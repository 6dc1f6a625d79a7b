import Base

/// Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date in one of three forms.
enum RetryAfter {
    /// The time to wait.
    ///
    /// - Parameters:
    ///   - text: the header's value.
    ///   - now: wall time, for the date form.
    /// - Returns: nil where the value is neither; zero for a date that has passed.
    static func parse(_ text: String, now: Timestamp) -> Duration? {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }.prefix { $0 != "\r" && $0 != "\n" }
        if let first = trimmed.utf8.first, (48...57).contains(first) { return seconds(trimmed) }
        return HTTPDate.parse(String(trimmed)).map { max(.zero, $0.since(now)) }
    }

    private static func seconds(_ text: Substring) -> Duration? {
        var value: Int64 = 0
        for byte in text.utf8.prefix(while: { $0 != 32 }) {
            guard (48...57).contains(byte) else { return nil }
            // A billion seconds is already above every cap; more digits change nothing.
            value = min(value * 10 + Int64(byte - 48), 1_000_000_000)
        }
        return .seconds(value)
    }
}

/// An HTTP-date (RFC 9110, 5.6.7), by arithmetic alone: no locale, no time zone database.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads the moment named; nil where the text has none of the three forms.
    ///
    ///     Sun, 06 Nov 1994 08:49:37 GMT      preferred
    ///     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850; two digits: 1970 to 2069
    ///     Sun Nov  6 08:49:37 1994           asctime
    static func parse(_ text: String) -> Timestamp? {
        let words = text.split { $0 == " " || $0 == "-" || $0 == "," }.map(String.init)
        guard words.count >= 5 else { return nil }
        if words[2].first?.isLetter == true, words.count >= 6, words[5] == "GMT" {
            return moment(day: words[1], month: words[2], year: words[3], time: words[4])
        }
        guard words.count == 5, words[1].first?.isLetter == true else { return nil }
        return moment(day: words[2], month: words[1], year: words[4], time: words[3])
    }

    private static func moment(
        day: String, month: String, year: String, time: String
    ) -> Timestamp? {
        guard let day = number(day, digits: 1...2), (1...31).contains(day),
            let month = months.firstIndex(of: month),
            let shortYear = number(year, digits: 2...4), year.utf8.count != 3
        else { return nil }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(String(clock[0]), digits: 2...2), hour < 24,
            let minute = number(String(clock[1]), digits: 2...2), minute < 60,
            let second = number(String(clock[2]), digits: 2...2), second < 61
        else { return nil }
        let century = year.utf8.count == 4 ? 0 : (shortYear < 70 ? 2_000 : 1_900)
        let days = daysSinceEpoch(year: shortYear + century, month: month + 1, day: day)
        return Timestamp(seconds: Int64(days * 86_400 + hour * 3_600 + minute * 60 + second))
    }

    private static func number(_ text: String, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count) else { return nil }
        var value = 0
        for byte in text.utf8 {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras that
    /// begin in March, so that the leap day is the last of its year.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
