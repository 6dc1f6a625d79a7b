/// The keys of a webhook that mean something to this project; all others are carried, not read.
enum KnownKey: UInt8, CaseIterable {
    // The envelope.
    case object, entry, id, changes, field, value
    // A change's value.
    case messagingProduct, metadata, contacts, statuses, messages, calls
    case phoneNumberID, displayPhoneNumber
    // A contact, a status, a message.
    case waID, userID
    case timestamp, status, recipientID, recipientType, recipientUserID
    case recipientParticipantID, participantRecipientID, recipientParticipantUserID
    case from, fromUserID, groupID, to
    // What a line of the lake puts in front.
    case eventKey, receivedAt, wabaID, contact

    /// The key as it stands in a body, decoded.
    var name: StaticString {
        switch self {
        case .object: "object"
        case .entry: "entry"
        case .id: "id"
        case .changes: "changes"
        case .field: "field"
        case .value: "value"
        case .messagingProduct: "messaging_product"
        case .metadata: "metadata"
        case .contacts: "contacts"
        case .statuses: "statuses"
        case .messages: "messages"
        case .calls: "calls"
        case .phoneNumberID: "phone_number_id"
        case .displayPhoneNumber: "display_phone_number"
        case .waID: "wa_id"
        case .userID: "user_id"
        case .timestamp: "timestamp"
        case .status: "status"
        case .recipientID: "recipient_id"
        case .recipientType: "recipient_type"
        case .recipientUserID: "recipient_user_id"
        case .recipientParticipantID: "recipient_participant_id"
        case .participantRecipientID: "participant_recipient_id"
        case .recipientParticipantUserID: "recipient_participant_user_id"
        case .from: "from"
        case .fromUserID: "from_user_id"
        case .groupID: "group_id"
        case .to: "to"
        case .eventKey: "event_key"
        case .receivedAt: "received_at"
        case .wabaID: "waba_id"
        case .contact: "contact"
        }
    }

    /// The keys of each length; a name longer than all of them is not looked up.
    private static let byLength: [[KnownKey]] = {
        let longest = allCases.map(\.name.utf8CodeUnitCount).max() ?? 0
        return (0...longest).map { length in
            allCases.filter { $0.name.utf8CodeUnitCount == length }
        }
    }()

    /// Finds the key with this decoded name.
    init?(name: UnsafeBufferPointer<UInt8>) {
        guard name.count < Self.byLength.count else { return nil }
        for key in Self.byLength[name.count] where key.name.equals(name) {
            self = key
            return
        }
        return nil
    }
}

extension StaticString {
    /// Whether these are the literal's bytes.
    @inline(__always)
    func equals(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count == utf8CodeUnitCount else { return false }
        for offset in 0..<bytes.count where bytes[offset] != utf8Start[offset] { return false }
        return true
    }
}
