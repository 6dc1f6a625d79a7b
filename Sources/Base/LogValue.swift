/// The value of one field of a log line; never a body, a phone number or a secret.
public enum LogValue: Sendable, Equatable {
    /// Text; shown up to 1,024 bytes of it.
    case string(String)
    /// A whole number.
    case int(Int)
    /// A number with a fraction.
    case double(Double)
    /// Yes or no.
    case bool(Bool)

    /// A moment, as RFC 3339.
    public static func time(_ timestamp: Timestamp) -> LogValue { .string(timestamp.rfc3339) }

    /// What a value says of itself: an error, an identifier.
    public static func describing(_ value: some CustomStringConvertible) -> LogValue {
        .string(value.description)
    }
}

extension LogValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    /// Text written in the source.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number written in the source.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A fraction written in the source.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// `true` or `false` written in the source.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
