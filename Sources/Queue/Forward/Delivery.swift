import Base

/// What a delivery carries besides its body, from the webhook it came from to the POST it becomes.
public struct DeliveryEnvelope: Sendable, Equatable {
    /// `X-Delivery-Id`: stable over attempts, replays and restarts.
    public var key: String
    /// The webhook it was made from; several deliveries may share one.
    public var webhook: WebhookID
    /// Its place among the deliveries of that webhook, from 0.
    public var part: Int
    /// When that webhook was received.
    public var receivedAt: Timestamp
    /// The ordering keys: one, or several with FORWARD_SPLIT=webhook; no control characters.
    public var conversations: [String]
    /// The field of its first change, `messages` say.
    public var field: String
    /// The business number that it came to, where the body says.
    public var phoneNumberID: String?
    /// Messages and other changes in it, 1 or more.
    public var eventCount: Int
    /// Whether the body is not what WhatsApp sent, and was signed anew.
    public var isCut: Bool
    /// `X-Hub-Signature-256` for this body.
    public var signature256: String
    /// `X-Hub-Signature` for this body.
    public var signature1: String?
    /// The app secret that verified the webhook.
    public var secretFingerprint: String
    /// The webhook's `User-Agent`.
    public var userAgent: String?
    /// The webhook's `Content-Type`.
    public var contentType: String?
    /// The webhook's sender, for `X-Forwarded-For`.
    public var remoteAddress: String

    /// Gathers what a delivery carries.
    public init(
        key: String,
        webhook: WebhookID,
        part: Int,
        receivedAt: Timestamp,
        conversations: [String],
        field: String,
        phoneNumberID: String?,
        eventCount: Int,
        isCut: Bool,
        signature256: String,
        signature1: String?,
        secretFingerprint: String,
        userAgent: String?,
        contentType: String?,
        remoteAddress: String
    ) {
        self.key = key
        self.webhook = webhook
        self.part = part
        self.receivedAt = receivedAt
        self.conversations = conversations
        self.field = field
        self.phoneNumberID = phoneNumberID
        self.eventCount = eventCount
        self.isCut = isCut
        self.signature256 = signature256
        self.signature1 = signature1
        self.secretFingerprint = secretFingerprint
        self.userAgent = userAgent
        self.contentType = contentType
        self.remoteAddress = remoteAddress
    }
}

/// A delivery that the forward consumer has made and the queue does not hold yet.
public struct NewDelivery: Sendable {
    /// What it carries besides its body.
    public var envelope: DeliveryEnvelope
    /// The bytes of the POST.
    public var body: [UInt8]
    /// The route's destination; empty: the one that takes everything else.
    public var destination = ""
    /// Whether a route sends it to the dead letters instead of to PHP.
    public var isDead = false

    /// Puts a body into its envelope.
    ///
    /// - Precondition: there is a conversation, and an event.
    public init(envelope: DeliveryEnvelope, body: [UInt8]) {
        precondition(!envelope.conversations.isEmpty, "a delivery has a conversation")
        precondition(envelope.eventCount > 0, "a delivery carries an event")
        self.envelope = envelope
        self.body = body
    }
}

/// A delivery that the queue holds.
public struct Delivery: Sendable {
    /// The same for life.
    public let id: DeliveryID
    /// What it carries besides its body.
    public var envelope: DeliveryEnvelope
    /// The bytes of the POST.
    public let body: [UInt8]
    /// Attempts spent of the budget, since the last replay.
    public let attemptCount: Int
    /// Those of them that the receiver refused for good (a 4xx that is not tried for ever).
    public let refusalCount: Int
    /// All attempts ever made, spent or not: numbers `attempt` rows and `X-Delivery-Attempt`.
    public let attemptTotal: Int
    /// How often a person had it sent again; `X-Delivery-Replay`.
    public let replayCount: Int
    /// The breaker's closed time at the first failure since the last replay; `nil` before it.
    public let ageStarted: Duration?
}

/// One try to hand a delivery to PHP.
public struct Attempt: Sendable, Equatable {
    /// Counts from 1 over the life of the delivery.
    public var number: Int
    /// When the request was begun.
    public var startedAt: Timestamp
    /// Until the answer was complete, or the attempt failed.
    public var duration: Duration
    /// What happened, in one or two words: `answered`, `timeout`, `connection refused`.
    public var result: String
    /// The answer's status code, where there was an answer.
    public var status: Int?
    /// The first bytes of the answer's body, at most ``answerByteCountMax``.
    public var answer: [UInt8]
    /// Whether it counts against the budget.
    public var isSpent: Bool

    /// 2 KiB of an answer are kept.
    public static let answerByteCountMax = 2_048

    /// Describes one try; an answer beyond ``answerByteCountMax`` is cut.
    public init(
        number: Int,
        startedAt: Timestamp,
        duration: Duration,
        result: String,
        status: Int?,
        answer: [UInt8],
        isSpent: Bool
    ) {
        self.number = number
        self.startedAt = startedAt
        self.duration = duration
        self.result = result
        self.status = status
        self.answer = Array(answer.prefix(Self.answerByteCountMax))
        self.isSpent = isSpent
    }
}

/// Why a delivery was given up.
public enum DeadReason: Sendable, Equatable {
    /// Signed bytes that are no JSON this program can read.
    case unparseable(detail: String)
    /// The receiver refused it for good, with this status.
    case refused(status: Int)
    /// FORWARD_ATTEMPTS_MAX attempts are spent; the last answer's status where there was one.
    case attemptsSpent(status: Int?)
    /// It failed for longer than FORWARD_AGE_MAX.
    case tooOld(status: Int?)
    /// A route of the operator sends it here.
    case route

    /// Every ``name`` there is.
    public static let names = ["unparseable", "refused", "attempts", "age", "route"]

    /// The word in the table and in `dead list`.
    public var name: String {
        switch self {
        case .unparseable: "unparseable"
        case .refused: "refused"
        case .attemptsSpent: "attempts"
        case .tooOld: "age"
        case .route: "route"
        }
    }

    /// The status that decided, where one did.
    public var status: Int? {
        switch self {
        case .refused(let status): status
        case .attemptsSpent(let status), .tooOld(let status): status
        case .unparseable, .route: nil
        }
    }
}
