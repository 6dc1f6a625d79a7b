/// Identifies one row of a table for its whole life; assigned by SQLite, never reused.
///
/// Identifiers of different subjects cannot be mixed up.
public struct Identifier<Subject>: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    /// The row's number, 1 or more; 0 stands before the first.
    public let rawValue: Int64

    /// Names the row with this number.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Before the first row: the cursor of a consumer that has read nothing.
    public static var none: Self { Self(rawValue: 0) }

    /// Rows are numbered in the order in which they were stored.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The number in decimal.
    public var description: String { String(rawValue) }
}

/// Identifies one webhook, one row of the log.
public typealias WebhookID = Identifier<StoredWebhook>

/// Identifies one delivery: while it waits, as a dead letter, and when it is replayed.
public typealias DeliveryID = Identifier<Delivery>

/// Identifies one sealed batch of statuses.
public typealias BatchID = Identifier<SealedBatch>
