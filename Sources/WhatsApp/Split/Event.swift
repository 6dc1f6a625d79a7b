/// What an event is.
public enum EventKind: String, Sendable, CaseIterable {
    /// An element of `statuses`.
    case status
    /// An element of `messages`.
    case message
    /// Anything else, delivered as often as it comes.
    case other

    /// The kind's name as it goes into an ``EventKey``.
    var text: StaticString {
        switch self {
        case .status: "status"
        case .message: "message"
        case .other: "other"
        }
    }
}

/// One event on its way to PHP.
public struct Event: Sendable, Equatable {
    /// What it is told from its doubles by; nil for what is delivered as often as it comes.
    public let key: EventKey?
    /// `timestamp`, in seconds since the epoch; nil where it is missing or makes no sense.
    public let eventSeconds: Int64?
    /// What it is.
    public let kind: EventKind
}

/// The bytes of one part.
public enum PartBytes: Sendable, Equatable {
    /// The webhook's own bytes, under its own signature.
    case whole
    /// Bytes cut from the webhook, to be signed anew.
    case cut([UInt8])
}

/// One body for PHP.
public struct Part: Sendable {
    /// Ordering keys: one; several only where one body holds several conversations.
    ///
    /// At most ``ConversationName/byteCountMax`` bytes each, without control characters.
    public let conversations: [String]
    /// What to send.
    public let bytes: PartBytes
    /// What is in it, in body order; never empty.
    public let events: [Event]
    /// `field` of the change of the first event; empty where it has none.
    public let field: String
    /// `phone_number_id` beside the first event.
    public let phoneNumberID: String?
}

/// What became of a body that could be read.
public struct SplitWebhook: Sendable {
    /// For the lake, in body order, doubles included.
    public var statuses: [Status]
    /// For PHP, in the order in which their conversations first appear.
    public var parts: [Part]
    /// Events for PHP in the body, dropped ones included.
    public var eventCount: Int
    /// Events left out of `parts`: named in `dropping`, or doubles inside the body.
    public var droppedCount: Int

    /// No event at all: nothing for the lake, nothing for PHP.
    public var isEmpty: Bool { statuses.isEmpty && eventCount == 0 }
}

/// What a split gives.
public enum SplitResult: Sendable {
    /// Signed, but not readable: a dead letter.
    case unparseable(reason: UnparseableReason)
    /// Readable.
    case events(SplitWebhook)
}

/// How a body is cut for PHP: `FORWARD_SPLIT`.
public enum SplitMode: String, CaseIterable, Sendable {
    /// One part a conversation.
    case conversation
    /// One part, which holds every conversation in the body.
    case webhook
    /// One part a message.
    case message
}
