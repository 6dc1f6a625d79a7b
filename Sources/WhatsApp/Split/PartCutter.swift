/// Cuts a body down to some of its events: a full envelope in which what is kept has its own bytes.
///
/// Elements of `entry`, changes, and arrays that would stand empty are left out; so are keys of a
/// value that are events of another part. Context stays, but `contacts` shrinks to the senders.
struct PartCutter {
    private let document: JSONDocument
    private let places: [Place]
    /// In body order; none of them the whole webhook, which is never cut.
    private let events: [FoundEvent]
    private var cursor = 0
    private var output: [UInt8] = []

    init(document: JSONDocument, places: [Place], events: [FoundEvent]) {
        self.document = document
        self.places = places
        self.events = events
    }

    /// The body of a part.
    ///
    /// - Precondition: `events` is not empty and each stands in an element of `entry`.
    mutating func cut() -> [UInt8] {
        let root = document.range(document.root)
        let entries = document.range(places[events[0].place].entries)
        copy(root.lowerBound..<entries.lowerBound)
        output.append(ASCII.openBracket)
        while cursor < events.count {
            separateElements()
            cutEntry()
        }
        output.append(ASCII.closeBracket)
        copy(entries.upperBound..<root.upperBound)
        return output
    }

    private mutating func cutEntry() {
        let place = places[events[cursor].place]
        let entry = document.range(place.entry)
        guard let changes = place.changes.map(document.range) else {
            cursor += 1
            return copy(entry)
        }
        copy(entry.lowerBound..<changes.lowerBound)
        output.append(ASCII.openBracket)
        while cursor < events.count, places[events[cursor].place].entry == place.entry {
            separateElements()
            cutChange()
        }
        output.append(ASCII.closeBracket)
        copy(changes.upperBound..<entry.upperBound)
    }

    private mutating func cutChange() {
        let event = events[cursor]
        let place = places[event.place]
        guard event.extent != .change, let change = place.change, let value = place.value else {
            cursor += 1
            return copy(document.range(event.node))
        }
        let end = events[cursor...].firstIndex { $0.place != event.place } ?? events.count
        copy(document.range(change).lowerBound..<document.range(value).lowerBound)
        output.append(ASCII.openBrace)
        let contacts = contacts(of: events[cursor..<end], in: place)
        for key in document.keys(of: value) {
            cut(key: key, to: end, contacts: contacts)
        }
        output.append(ASCII.closeBrace)
        copy(document.range(value).upperBound..<document.range(change).upperBound)
    }

    /// Keeps of one member what belongs to the events up to `end`.
    private mutating func cut(key: Int, to end: Int, contacts: [Int]) {
        let value = document.value(ofKey: key)
        let isArray = document.kind(value) == .array
        let name = document.name(ofKey: key)
        if name == .messagingProduct || name == .metadata {
            copy(member: key)
        } else if name == .contacts {
            if contacts.isEmpty { copy(member: key) } else { copy(contacts, asArrayOf: key) }
        } else if isArray, name == .statuses || name == .messages {
            let first = cursor
            while cursor < end, events[cursor].node < document.next(value) { cursor += 1 }
            if cursor > first { copy(events[first..<cursor].map(\.node), asArrayOf: key) }
        } else if cursor < end, events[cursor].node == key {
            copy(member: key)
            cursor += 1
        }
    }

    /// The contacts of the events' people, in body order; none where nobody matches.
    private func contacts(of events: ArraySlice<FoundEvent>, in place: Place) -> [Int] {
        var nodes: Set<Int> = []
        for event in events {
            switch event.extent {
            case .messageElement:
                if let node = place.contacts.sender(of: event.fields, in: document) {
                    nodes.insert(node)
                }
            case .statusElement:
                if let node = place.contacts.recipient(of: event.fields, in: document) {
                    nodes.insert(node)
                }
            case .webhook, .entry, .change, .key:
                break
            }
        }
        return nodes.sorted()
    }

    // MARK: Bytes

    private mutating func copy(_ range: Range<Int>) {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: document.bytes[range]))
    }

    private mutating func copy(member key: Int) {
        separateMembers()
        let value = document.value(ofKey: key)
        copy(document.range(key).lowerBound..<document.range(value).upperBound)
    }

    private mutating func copy(_ elements: [Int], asArrayOf key: Int) {
        separateMembers()
        let array = document.range(document.value(ofKey: key))
        copy(document.range(key).lowerBound..<array.lowerBound)
        output.append(ASCII.openBracket)
        for element in elements {
            separateElements()
            copy(document.range(element))
        }
        output.append(ASCII.closeBracket)
    }

    private mutating func separateElements() {
        if output.last != ASCII.openBracket { output.append(ASCII.comma) }
    }

    private mutating func separateMembers() {
        if output.last != ASCII.openBrace { output.append(ASCII.comma) }
    }
}
