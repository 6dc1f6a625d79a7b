/// Where in the envelope an event stands: the nodes on the way to it, and its context.
struct Place {
    /// The array `entry`.
    var entries = 0
    /// The element of `entry`.
    var entry = 0
    /// The array `changes` in it; nil where the whole element is the event.
    var changes: Int?
    /// The element of `changes`.
    var change: Int?
    /// The change's `value`, whatever it is.
    var value: Int?
    /// `field` of the change, a string.
    var field: Int?
    /// `id` of the element of `entry`, a string or number.
    var wabaID: Int?
    /// `metadata.phone_number_id`, a string or number.
    var phoneNumberID: Int?
    /// `metadata.display_phone_number`, a string or number.
    var displayPhoneNumber: Int?
    /// Which contact belongs to whom.
    var contacts = ContactIndex()
}

/// The `contacts` of one value, found by the ids of an event.
struct ContactIndex {
    /// Up to this many are compared one by one; beyond it a table is worth its memory.
    private static let linearMax = 8

    private struct Contact {
        let node: Int
        let waID: Int?
        let userID: Int?
    }

    private var contacts: [Contact] = []
    private var positionByWaID: [[UInt8]: Int] = [:]
    private var positionByUserID: [[UInt8]: Int] = [:]

    init() {}

    /// Reads an array of contacts; anything else holds none.
    init(of array: Int, in document: JSONDocument) {
        for element in document.elements(of: array) {
            let contact = Contact(
                node: element,
                waID: document.member(.waID, of: element),
                userID: document.member(.userID, of: element)
            )
            contacts.append(contact)
        }
        guard contacts.count > Self.linearMax else { return }
        for (position, contact) in contacts.enumerated().reversed() {
            if let text = document.text(of: contact.waID) { positionByWaID[text] = position }
            if let text = document.text(of: contact.userID) { positionByUserID[text] = position }
        }
    }

    /// The first contact whose `wa_id` is this text.
    func node(waID: Int?, in document: JSONDocument) -> Int? {
        find(waID, by: \.waID, in: positionByWaID, document)?.node
    }

    /// The first contact whose `user_id` is this text.
    func node(userID: Int?, in document: JSONDocument) -> Int? {
        find(userID, by: \.userID, in: positionByUserID, document)?.node
    }

    /// `user_id` of the first contact with this `wa_id`.
    func userID(ofWaID waID: Int?, in document: JSONDocument) -> Int? {
        find(waID, by: \.waID, in: positionByWaID, document)?.userID
    }

    /// The contact of a status's recipient: the group's participant after the recipient itself.
    func recipient(of fields: ElementFields, in document: JSONDocument) -> Int? {
        guard !contacts.isEmpty else { return nil }
        return node(waID: document.present(fields.recipientID), in: document)
            ?? node(userID: document.present(fields.recipientUserID), in: document)
            ?? node(waID: document.present(fields.participantID), in: document)
            ?? node(userID: document.present(fields.participantUserID), in: document)
    }

    /// The contact of a message's sender.
    func sender(of fields: ElementFields, in document: JSONDocument) -> Int? {
        guard !contacts.isEmpty else { return nil }
        return node(waID: document.present(fields.from), in: document)
            ?? node(userID: document.present(fields.fromUserID), in: document)
    }

    private func find(
        _ text: Int?, by id: KeyPath<Contact, Int?>, in table: [[UInt8]: Int],
        _ document: JSONDocument
    ) -> Contact? {
        guard let text else { return nil }
        guard contacts.count <= Self.linearMax else {
            guard let text = document.text(of: text), let position = table[text] else { return nil }
            return contacts[position]
        }
        return contacts.first { contact in
            guard let candidate = contact[keyPath: id] else { return false }
            return document.areEqualTexts(candidate, text)
        }
    }
}
