/// What is read of one element of `statuses` or `messages`: nodes of the values, -1 where missing.
struct ElementFields {
    static let none: Int32 = -1

    private(set) var id = none
    private(set) var timestamp = none
    private(set) var status = none
    private(set) var from = none
    private(set) var fromUserID = none
    private(set) var groupID = none
    private(set) var recipientID = none
    private(set) var recipientType = none
    private(set) var recipientUserID = none
    private(set) var participantID = none
    private(set) var participantUserID = none
    private(set) var ownKeys: Status.OwnKeys = []

    /// No fields at all: those of an element that is no object.
    init() {}

    /// Reads the keys of an object; where one is repeated, the first counts.
    init(of object: Int, in document: JSONDocument) {
        for key in document.keys(of: object) {
            guard let name = document.name(ofKey: key) else { continue }
            note(name, node: Int32(truncatingIfNeeded: document.value(ofKey: key)))
        }
    }

    private mutating func note(_ name: KnownKey, node: Int32) {
        switch name {
        case .id: Self.set(&id, node)
        case .timestamp: Self.set(&timestamp, node)
        case .status: Self.set(&status, node)
        case .from: Self.set(&from, node)
        case .fromUserID: Self.set(&fromUserID, node)
        case .groupID: Self.set(&groupID, node)
        case .recipientID: Self.set(&recipientID, node)
        case .recipientType: Self.set(&recipientType, node)
        case .recipientUserID: Self.set(&recipientUserID, node)
        case .recipientParticipantID, .participantRecipientID: Self.set(&participantID, node)
        case .recipientParticipantUserID: Self.set(&participantUserID, node)
        case .eventKey: ownKeys.insert(.eventKey)
        case .receivedAt: ownKeys.insert(.receivedAt)
        case .wabaID: ownKeys.insert(.wabaID)
        case .phoneNumberID: ownKeys.insert(.phoneNumberID)
        case .displayPhoneNumber: ownKeys.insert(.displayPhoneNumber)
        case .contact: ownKeys.insert(.contact)
        case .object, .entry, .changes, .field, .value, .messagingProduct, .metadata, .contacts,
            .statuses, .messages, .calls, .waID, .userID, .to:
            break
        }
    }

    private static func set(_ slot: inout Int32, _ node: Int32) {
        if slot == none { slot = node }
    }
}

extension JSONDocument {
    /// The node, unless it is missing.
    func present(_ node: Int32) -> Int? {
        node == ElementFields.none ? nil : Int(node)
    }

    /// A time in seconds since the epoch, given as a string or a number of whole seconds.
    ///
    /// - Returns: nil for anything else, and beyond 18 digits.
    func seconds(_ node: Int32) -> Int64? {
        guard let node = present(node) else { return nil }
        return withText(of: node) { text -> Int64? in
            guard 1...18 ~= text.count else { return nil }
            var seconds: Int64 = 0
            for byte in text {
                guard ASCII.zero...ASCII.nine ~= byte else { return nil }
                seconds = seconds * 10 + Int64(byte - ASCII.zero)
            }
            return seconds
        } ?? nil
    }
}
