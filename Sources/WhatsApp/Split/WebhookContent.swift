/// All that a webhook can hold, level by level: the left column of the routing table.
///
/// The right column is ``route``. Nothing that is signed and JSON falls through: what has another
/// shape than WhatsApp's is passed on to PHP, whole, at the level where the shape ends, while what
/// stands beside it takes its ordinary way.
enum WebhookContent: String, CaseIterable, Sendable {
    /// The webhook: `object` is missing, or not `whatsapp_business_account`.
    case otherObject
    /// The webhook: `entry` is missing or no array.
    case entriesMisshapen
    /// An element of `entry` that is no object, or whose `changes` is missing or no array.
    case entryMisshapen
    /// An element of `changes` that is no object, or whose `field` is missing or no string.
    case changeMisshapen
    /// A change of another field than `messages`; its own `statuses` are part of it.
    case otherField
    /// A change of `messages` whose `value` is missing or no object.
    case valueMisshapen
    /// An element of `statuses` that is an object.
    case status
    /// An element of `statuses` that is no object: a line of the lake has nothing to hold on to.
    case statusMisshapen
    /// `statuses` that is no array.
    case statusesMisshapen
    /// An element of `messages`, whatever it is.
    case message
    /// `messages` that is no array.
    case messagesMisshapen
    /// Any other key of a value: `errors`, `user_actions`, and those still to be invented.
    case otherValueKey
    /// `messaging_product`, `metadata` or `contacts` in a value, and every key around the arrays
    /// (`id`, `time`, …) of a webhook, an element of `entry`, or a change.
    case context

    /// Where this goes.
    var route: Route {
        switch self {
        case .otherObject: .php(.webhook)
        case .entriesMisshapen: .php(.webhook)
        case .entryMisshapen: .php(.entry)
        case .changeMisshapen: .php(.change)
        case .otherField: .php(.change)
        case .valueMisshapen: .php(.change)
        case .status: .lake
        case .statusMisshapen: .php(.statusElement)
        case .statusesMisshapen: .php(.key)
        case .message: .php(.messageElement)
        case .messagesMisshapen: .php(.key)
        case .otherValueKey: .php(.key)
        case .context: .alongside
        }
    }

    /// A destination.
    enum Route: Equatable, Sendable {
        /// A line of its own in the lake; to PHP as well where FORWARD_STATUSES names its status.
        case lake
        /// To PHP, as one event of this extent.
        case php(Extent)
        /// No event: goes with the events that stand beside it, and nowhere without them.
        case alongside
    }

    /// How much of the body one event is.
    enum Extent: Equatable, Sendable {
        case webhook
        /// One element of `entry`.
        case entry
        /// One element of `changes`.
        case change
        /// One key of a value, with what it holds.
        case key
        case statusElement
        case messageElement

        /// What the event is to those who count and compare it.
        var kind: EventKind {
            switch self {
            case .statusElement: .status
            case .messageElement: .message
            case .webhook, .entry, .change, .key: .other
            }
        }
    }
}
