import Base

/// A moment as Amazon's signatures write it: `20150830T123600Z`.
struct SigningTime: Equatable, Sendable {
    /// Date and time, 16 characters.
    let text: String
    /// The date alone, 8 digits.
    var day: String { String(text.prefix(8)) }

    init(_ moment: Timestamp) {
        let date = moment.date
        text =
            Self.padded(date.year, 4) + Self.padded(date.month, 2) + Self.padded(date.day, 2) + "T"
            + Self.padded(date.hour, 2) + Self.padded(date.minute, 2) + Self.padded(date.second, 2)
            + "Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// The `Date` of an answer: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Returns: nil for anything but the one form that servers may send today.
    static func moment(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", words[1].utf8.count == 2,
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let number = (month < 9 ? "0" : "") + String(month + 1)
        return Timestamp(rfc3339: "\(words[3])-\(number)-\(words[1])T\(words[4])Z")
    }
}
