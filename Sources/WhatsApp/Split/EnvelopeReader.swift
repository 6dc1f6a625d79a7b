/// One event for PHP as it was found: its place in the body, nothing computed yet.
struct FoundEvent {
    let extent: WebhookContent.Extent
    /// The element, the key, the change, or the whole webhook.
    let node: Int
    /// Index into ``Envelope/places``; -1 for the whole webhook.
    let place: Int
    /// What an element says of itself.
    let fields: ElementFields
}

/// One status for the lake as it was found.
struct FoundStatus {
    let node: Int
    /// Index into ``Envelope/places``.
    let place: Int
    let fields: ElementFields
}

/// All events of a body, in body order.
struct Envelope {
    var places: [Place] = []
    var statuses: [FoundStatus] = []
    var events: [FoundEvent] = []
    /// Statuses that go to the lake alone, so that a body for PHP has to be cut.
    var lakeOnlyCount = 0
}

/// Walks the envelope of a webhook and sends everything in it where the routing table says.
///
/// `{"object":…,"entry":[{"id":…,"changes":[{"field":…,"value":{…}}]}]}`, keys in any order.
struct EnvelopeReader {
    let document: JSONDocument
    let forwardedStatuses: [[UInt8]]
    private(set) var envelope = Envelope()

    init(document: JSONDocument, forwardedStatuses: [[UInt8]]) {
        self.document = document
        self.forwardedStatuses = forwardedStatuses
    }

    /// Reads the whole body.
    ///
    /// - Throws: `notAnObject`, or `repeatedKey` where the envelope says something twice.
    mutating func read() throws(UnparseableReason) {
        guard document.kind(document.root) == .object else { throw .notAnObject }
        let (object, entries) = try members(.object, .entry, of: document.root)
        guard let object, document.kind(object) == .string,
            document.isText(object, equalTo: "whatsapp_business_account")
        else { return found(.otherObject, document.root, at: -1) }
        guard let entries, document.kind(entries) == .array else {
            return found(.entriesMisshapen, document.root, at: -1)
        }
        for entry in document.elements(of: entries) {
            try read(entry: entry, in: entries)
        }
    }

    private mutating func read(entry: Int, in entries: Int) throws(UnparseableReason) {
        let (id, changes) = try members(.id, .changes, of: entry)
        var place = Place()
        place.entries = entries
        place.entry = entry
        place.wabaID = scalar(id)
        guard let changes, document.kind(changes) == .array else {
            return found(.entryMisshapen, entry, at: add(place))
        }
        place.changes = changes
        for change in document.elements(of: changes) {
            try read(change: change, place)
        }
    }

    private mutating func read(change: Int, _ outer: Place) throws(UnparseableReason) {
        var place = outer
        place.change = change
        let (field, value) = try members(.field, .value, of: change)
        place.value = value
        guard let field, document.kind(field) == .string else {
            return found(.changeMisshapen, change, at: add(place))
        }
        place.field = field
        let members = try valueMembers(of: value)
        readContext(members, into: &place)
        guard document.isText(field, equalTo: "messages") else {
            return found(.otherField, change, at: add(place))
        }
        guard let value, document.kind(value) == .object else {
            return found(.valueMisshapen, change, at: add(place))
        }
        let index = add(place)
        for key in document.keys(of: value) {
            read(key: key, at: index)
        }
    }

    /// Reads one key of the value of a `messages` change.
    private mutating func read(key: Int, at place: Int) {
        let value = document.value(ofKey: key)
        let isArray = document.kind(value) == .array
        let name = document.name(ofKey: key)
        if name == .statuses {
            guard isArray else { return found(.statusesMisshapen, key, at: place) }
            for element in document.elements(of: value) {
                let isObject = document.kind(element) == .object
                found(isObject ? .status : .statusMisshapen, element, at: place)
            }
        } else if name == .messages {
            guard isArray else { return found(.messagesMisshapen, key, at: place) }
            for element in document.elements(of: value) {
                found(.message, element, at: place)
            }
        } else if name == .messagingProduct || name == .metadata || name == .contacts {
            found(.context, key, at: place)
        } else {
            found(.otherValueKey, key, at: place)
        }
    }

    // MARK: Routing

    private mutating func found(_ content: WebhookContent, _ node: Int, at place: Int) {
        switch content.route {
        case .alongside:
            break
        case .lake:
            let fields = ElementFields(of: node, in: document)
            envelope.statuses.append(FoundStatus(node: node, place: place, fields: fields))
            if isForwarded(fields) {
                add(.statusElement, node, at: place, fields)
            } else {
                envelope.lakeOnlyCount += 1
            }
        case .php(let extent):
            switch extent {
            case .statusElement, .messageElement:
                add(extent, node, at: place, ElementFields(of: node, in: document))
            case .webhook, .entry, .change, .key:
                add(extent, node, at: place, ElementFields())
            }
        }
    }

    private mutating func add(
        _ extent: WebhookContent.Extent, _ node: Int, at place: Int, _ fields: ElementFields
    ) {
        envelope.events.append(FoundEvent(extent: extent, node: node, place: place, fields: fields))
    }

    /// Whether FORWARD_STATUSES names the status.
    private func isForwarded(_ fields: ElementFields) -> Bool {
        guard !forwardedStatuses.isEmpty, let node = document.present(fields.status) else {
            return false
        }
        return document.withText(of: node) { text in
            forwardedStatuses.contains { $0.elementsEqual(text) }
        } ?? false
    }

    private mutating func add(_ place: Place) -> Int {
        envelope.places.append(place)
        return envelope.places.count - 1
    }

    // MARK: Keys

    /// The values of two keys that may stand only once; both nil where the node is no object.
    private func members(
        _ first: KnownKey, _ second: KnownKey, of object: Int
    ) throws(UnparseableReason) -> (Int?, Int?) {
        var values: (Int?, Int?)
        for key in document.keys(of: object) {
            let name = document.name(ofKey: key)
            if name == first {
                guard values.0 == nil else { throw .repeatedKey }
                values.0 = document.value(ofKey: key)
            } else if name == second {
                guard values.1 == nil else { throw .repeatedKey }
                values.1 = document.value(ofKey: key)
            }
        }
        return values
    }

    /// Refuses a value that says twice what it holds, whatever its field; gives its context.
    private func valueMembers(
        of value: Int?
    ) throws(UnparseableReason) -> (metadata: Int?, contacts: Int?) {
        guard let value else { return (nil, nil) }
        let (metadata, contacts) = try members(.metadata, .contacts, of: value)
        _ = try members(.statuses, .messages, of: value)
        return (metadata, contacts)
    }

    private func readContext(
        _ members: (metadata: Int?, contacts: Int?), into place: inout Place
    ) {
        if let metadata = members.metadata {
            place.phoneNumberID = scalar(document.member(.phoneNumberID, of: metadata))
            place.displayPhoneNumber = scalar(document.member(.displayPhoneNumber, of: metadata))
        }
        if let contacts = members.contacts {
            place.contacts = ContactIndex(of: contacts, in: document)
        }
    }

    /// The node where it is a string or a number.
    private func scalar(_ node: Int?) -> Int? {
        guard let node else { return nil }
        switch document.kind(node) {
        case .string, .number: return node
        case .object, .array, .literal, .key: return nil
        }
    }
}
