/// One status, as ranges of the body it stands in.
public struct Status: Sendable {
    /// The status object, braces included.
    public let object: Range<Int>
    /// What it is told from its doubles by.
    public let key: EventKey
    /// `timestamp` in seconds since the epoch; nil where it is missing or makes no sense.
    public let eventSeconds: Int64?
    /// `id` of the element of `entry`, quotes included.
    public let wabaID: Range<Int>?
    /// `metadata.phone_number_id`, quotes included.
    public let phoneNumberID: Range<Int>?
    /// `metadata.display_phone_number`, quotes included.
    public let displayPhoneNumber: Range<Int>?
    /// The element of `contacts` whose ids are the recipient's.
    ///
    /// A contact that merely stands alone beside the status is not taken for its recipient.
    public let contact: Range<Int>?
    /// The message's id, quotes included.
    public let wamid: Range<Int>?
    /// `sent`, `delivered`, …, quotes included.
    public let status: Range<Int>?
    /// One of the strings in the line has half of a surrogate pair as an escape.
    public let hasLoneSurrogate: Bool
    /// White space stands outside the strings of the body.
    let hasWhiteSpace: Bool
    /// Which of our keys WhatsApp uses in the object itself.
    let ownKeys: OwnKeys

    /// The keys that a line puts in front.
    struct OwnKeys: OptionSet, Sendable {
        let rawValue: UInt8

        static let eventKey = OwnKeys(rawValue: 1)
        static let receivedAt = OwnKeys(rawValue: 2)
        static let wabaID = OwnKeys(rawValue: 4)
        static let phoneNumberID = OwnKeys(rawValue: 8)
        static let displayPhoneNumber = OwnKeys(rawValue: 16)
        static let contact = OwnKeys(rawValue: 32)
    }
}
