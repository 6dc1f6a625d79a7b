extension Timestamp {
    /// The calendar's view of the moment in UTC, by arithmetic alone.
    public var date: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let total = Int(seconds)
        var days = total / 86_400
        var second = total % 86_400
        if second < 0 {
            days -= 1
            second += 86_400
        }
        let (year, month, day) = Calendar.civil(fromDays: days)
        return (year, month, day, second / 3_600, second / 60 % 60, second % 60)
    }

    /// RFC 3339 with milliseconds and in UTC: `2026-11-23T23:59:59.123Z`.
    public var rfc3339: String {
        let date = date
        let milliseconds = Int(rawValue % 1_000 + 1_000) % 1_000
        var text = Calendar.padded(date.year, 4)
        text += "-" + Calendar.padded(date.month, 2) + "-" + Calendar.padded(date.day, 2)
        text += "T" + Calendar.padded(date.hour, 2) + ":" + Calendar.padded(date.minute, 2)
        text += ":" + Calendar.padded(date.second, 2) + "." + Calendar.padded(milliseconds, 3)
        return text + "Z"
    }

    /// Reads RFC 3339: `2026-11-23T23:59:59Z`, with up to nine digits of a second or without, `Z`
    /// or an offset like `+01:00`.
    ///
    /// - Returns: `nil` for anything else, a leap second and the 30th of February included; digits
    ///   beyond the millisecond are cut off.
    public init?(rfc3339 text: String) {
        var scanner = DateScanner(bytes: Array(text.utf8))
        guard let year = scanner.digits(4), scanner.take("-"),
            let month = scanner.digits(2), scanner.take("-"),
            let day = scanner.digits(2), scanner.take("T"),
            let hour = scanner.digits(2), scanner.take(":"),
            let minute = scanner.digits(2), scanner.take(":"),
            let second = scanner.digits(2),
            let milliseconds = scanner.fraction(),
            let offsetSeconds = scanner.eastOfUTC(), scanner.isAtEnd,
            (1...12).contains(month), day >= 1, day <= Calendar.days(in: month, of: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Calendar.days(fromCivil: year, month, day)
        let total = days * 86_400 + hour * 3_600 + minute * 60 + second - offsetSeconds
        self.init(rawValue: Int64(total * 1_000 + milliseconds))
    }
}

/// The Gregorian calendar in whole numbers (after Howard Hinnant's `chrono` algorithms).
private enum Calendar {
    static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let leaps = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leaps) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// For the years 0 to 9999.
    static func days(fromCivil year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
        return (number < 0 ? "-" : "") + zeros + digits
    }
}

private struct DateScanner {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func digit() -> Int? {
        guard offset < bytes.count, (0x30...0x39).contains(bytes[offset]) else { return nil }
        defer { offset += 1 }
        return Int(bytes[offset] - 0x30)
    }

    mutating func digits(_ count: Int) -> Int? {
        var number = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// Milliseconds of an optional `.123`.
    mutating func fraction() -> Int? {
        guard take(".") else { return 0 }
        var milliseconds = 0
        var count = 0
        while count < 9, let digit = digit() {
            if count < 3 { milliseconds = milliseconds * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 3)..<3 { milliseconds *= 10 }
        return milliseconds
    }

    /// Seconds east of UTC.
    mutating func eastOfUTC() -> Int? {
        if take("Z") { return 0 }
        let isEast = take("+")
        guard isEast || take("-") else { return nil }
        guard let hours = digits(2), take(":"), let minutes = digits(2), hours < 24, minutes < 60
        else { return nil }
        return (isEast ? 1 : -1) * (hours * 3_600 + minutes * 60)
    }
}
