import Base

/// Figures as people say them.
///
/// Two steps of precision at most; scripts get the exact ones.
enum Humane {
    /// `12,345`.
    static func count(_ number: Int) -> String {
        let digits = Array(String(number.magnitude).utf8)
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }

    /// `3 webhooks`, `1 webhook`.
    static func count(_ number: Int, _ singular: String, _ plural: String? = nil) -> String {
        count(number) + " " + (number == 1 ? singular : plural ?? singular + "s")
    }

    /// `812 B`, `1.2 KiB`, `34 MiB`.
    static func size(_ byteCount: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        guard byteCount >= 1_024 else { return "\(byteCount) B" }
        var scaled = Double(byteCount) / 1_024
        var unit = 0
        // 1,023.5 would be shown as 1024.
        while scaled >= 1_023.5, unit < units.count - 1 {
            scaled /= 1_024
            unit += 1
        }
        return decimal(scaled) + " " + units[unit]
    }

    /// `8 ms`, `1.2 s`, `2 min 5 s`, `3 h 4 min`, `5 d 6 h`; nothing below zero.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        if milliseconds < 60_000 { return decimal(Double(milliseconds) / 1_000) + " s" }
        return long(Int(milliseconds / 1_000))
    }

    /// How long ago, in whole seconds: `just now`, `45 s ago`, `2 h 5 min ago`.
    static func ago(_ moment: Timestamp, now: Timestamp) -> String {
        let seconds = Int(now.since(moment).milliseconds / 1_000)
        if seconds < 0 { return "in the future" }
        return seconds < 1 ? "just now" : age(seconds) + " ago"
    }

    /// The age of something that waits: `45 s`, `2 h 5 min`.
    static func age(since moment: Timestamp, now: Timestamp) -> String {
        age(max(0, Int(now.since(moment).milliseconds / 1_000)))
    }

    private static func age(_ seconds: Int) -> String {
        seconds < 60 ? "\(seconds) s" : long(seconds)
    }

    private static func long(_ seconds: Int) -> String {
        let minutes = seconds / 60
        let hours = minutes / 60
        let days = hours / 24
        if hours == 0 { return pair(minutes, "min", seconds % 60, "s") }
        if days == 0 { return pair(hours, "h", minutes % 60, "min") }
        return pair(days, "d", hours % 24, "h")
    }

    private static func pair(_ large: Int, _ unit: String, _ small: Int, _ part: String) -> String {
        small == 0 ? "\(count(large)) \(unit)" : "\(count(large)) \(unit) \(small) \(part)"
    }

    /// One digit behind the point below ten, none above, none where it would be zero.
    private static func decimal(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        guard tenths < 100 else { return String(Int(number.rounded())) }
        return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
    }
}
