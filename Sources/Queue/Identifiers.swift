/// Identifies one webhook, one row of the log; assigned by SQLite at append, never reused.
public struct WebhookID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Before the first webhook: the cursor of a consumer that has read nothing.
    public static let none = WebhookID(rawValue: 0)

    public static func < (left: WebhookID, right: WebhookID) -> Bool {
        left.rawValue < right.rawValue
    }

    public var description: String { String(rawValue) }
}

/// Identifies one delivery for life: while it waits, as a dead letter, and when it is replayed.
public struct DeliveryID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: DeliveryID, right: DeliveryID) -> Bool {
        left.rawValue < right.rawValue
    }

    public var description: String { String(rawValue) }
}

/// Identifies one sealed batch of statuses; never reused.
public struct BatchID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: BatchID, right: BatchID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}
