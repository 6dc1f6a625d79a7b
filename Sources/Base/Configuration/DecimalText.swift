/// Numbers, durations and sizes as an operator writes them; digits only, no sign, no overflow.
enum DecimalText {
    /// A whole number of at least one digit; `nil` for anything else, `+5` included.
    static func number(_ bytes: some Sequence<UInt8>) -> Int? {
        var number = 0
        var isEmpty = true
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, overflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = product.addingReportingOverflow(Int(byte & 0x0F))
            guard !overflows, !overflowsToo else { return nil }
            number = sum
            isEmpty = false
        }
        return isEmpty ? nil : number
    }

    /// `500ms`, `10s`, `5m`, `24h`, `7d`; a unit is required.
    static func duration(_ text: String) -> Duration? {
        measure(text, in: durationUnits).map { .milliseconds($0) }
    }

    /// `64KiB`, `4MiB`, `2GiB`, `1TiB`, or plain bytes.
    static func byteCount(_ text: String) -> Int? {
        number(text.utf8) ?? measure(text, in: sizeUnits)
    }

    /// The shortest exact way to write a duration, `90s` or `2m`.
    static func text(_ duration: Duration) -> String {
        let milliseconds = Int(duration.milliseconds)
        return text(milliseconds, in: durationUnits) ?? "\(milliseconds)ms"
    }

    /// The shortest exact way to write a size, `1536KiB` or `2MiB`.
    static func text(byteCount: Int) -> String {
        text(byteCount, in: sizeUnits) ?? "\(byteCount)"
    }

    /// Largest first; in milliseconds.
    private static let durationUnits: [(name: String, size: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// Largest first; in bytes.
    private static let sizeUnits: [(name: String, size: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    private static func measure(_ text: String, in units: [(name: String, size: Int)]) -> Int? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let name = text.utf8.dropFirst(digits.count)
        guard let number = number(digits),
            let unit = units.first(where: { $0.name.utf8.elementsEqual(name) })
        else { return nil }
        let (product, overflows) = number.multipliedReportingOverflow(by: unit.size)
        return overflows ? nil : product
    }

    private static func text(_ number: Int, in units: [(name: String, size: Int)]) -> String? {
        guard number > 0 else { return nil }
        return units.first { number % $0.size == 0 }.map { "\(number / $0.size)\($0.name)" }
    }
}
