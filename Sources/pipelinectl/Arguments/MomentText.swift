import Base

/// Moments as people type them.
enum MomentText {
    /// How a wrong one is answered.
    static let expected =
        "a time like 2026-11-23T18:00:00Z, a day like 2026-11-23, or an age like 2h"

    /// Longest age that makes sense: ten years, so that nothing overflows.
    private static let ageSecondsMax = 315_360_000

    /// - Parameters:
    ///   - text: RFC 3339; a day, meaning its first moment in UTC; or an age (`90s`, `15m`, `2h`,
    ///     `7d`), meaning that long before `now`.
    ///   - now: what an age is counted from.
    /// - Returns: `nil` for anything else.
    static func moment(_ text: String, now: Timestamp) -> Timestamp? {
        if let moment = Timestamp(rfc3339: text) { return moment }
        if let moment = Timestamp(rfc3339: text + "T00:00:00Z") { return moment }
        return seconds(ofAge: text).map { now - .seconds($0) }
    }

    private static func seconds(ofAge text: String) -> Int? {
        let unit: Int
        switch text.utf8.last {
        case UInt8(ascii: "s"): unit = 1
        case UInt8(ascii: "m"): unit = 60
        case UInt8(ascii: "h"): unit = 3_600
        case UInt8(ascii: "d"): unit = 86_400
        default: return nil
        }
        let digits = text.utf8.dropLast()
        // `Int("+5")` is 5, and a sign has no meaning here.
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(Substring(digits))), number <= ageSecondsMax / unit
        else { return nil }
        return number * unit
    }
}
