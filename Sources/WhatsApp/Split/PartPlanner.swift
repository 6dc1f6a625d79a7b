/// Turns the events of a body into parts for PHP.
struct PartPlanner {
    /// Cut bytes of one webhook, together; a body that would give more stays in one part.
    ///
    /// Each part repeats the envelope, so a hostile body of many small messages and large context
    /// would otherwise grow by its own square.
    static let cutByteCountMax = 64 << 20

    let document: JSONDocument
    let envelope: Envelope
    let keyMaker: EventKeyMaker

    private struct Planned {
        let found: FoundEvent
        let event: Event
        let conversation: String?
    }

    private struct Group {
        var conversations: [String] = []
        var events: [Planned] = []
    }

    /// Makes the parts.
    ///
    /// - Parameters:
    ///   - mode: how the body is cut.
    ///   - dropping: keys of events to leave out, with doubles inside the body; nil keeps all.
    /// - Returns: the parts, and how many events are in none of them.
    func plan(_ mode: SplitMode, dropping: Set<EventKey>?) -> (parts: [Part], droppedCount: Int) {
        let planned = planEvents(dropping: dropping)
        let droppedCount = envelope.events.count - planned.count
        guard !planned.isEmpty else { return ([], droppedCount) }
        let groups = group(planned, mode)
        if groups.count == 1, droppedCount == 0, envelope.lakeOnlyCount == 0 {
            return ([part(groups[0], .whole)], droppedCount)
        }
        var parts: [Part] = []
        var byteCount = 0
        for group in groups {
            let bytes = cut(group)
            byteCount += bytes.count
            guard byteCount <= Self.cutByteCountMax || groups.count == 1 else {
                return plan(.webhook, dropping: dropping)
            }
            parts.append(part(group, .cut(bytes)))
        }
        return (parts, droppedCount)
    }

    private func planEvents(dropping: Set<EventKey>?) -> [Planned] {
        let finder = ConversationFinder(document: document)
        var planned: [Planned] = []
        planned.reserveCapacity(envelope.events.count)
        var seen = dropping ?? []
        for found in envelope.events {
            let place = found.place < 0 ? nil : envelope.places[found.place]
            let kind = found.extent.kind
            let key = kind == .other ? nil : keyMaker.key(kind, found.node, phone: place)
            if dropping != nil, let key, !seen.insert(key).inserted { continue }
            let event = Event(
                key: key, eventSeconds: document.seconds(found.fields.timestamp), kind: kind
            )
            let conversation = finder.conversation(of: found, at: place)
            planned.append(Planned(found: found, event: event, conversation: conversation))
        }
        return planned
    }

    // MARK: Grouping

    private func group(_ planned: [Planned], _ mode: SplitMode) -> [Group] {
        var groups: [Group] = []
        var indexByConversation: [String: Int] = [:]
        for event in planned {
            guard let conversation = event.conversation else { continue }
            let isNew = indexByConversation[conversation] == nil
            let index: Int
            switch mode {
            case .conversation: index = indexByConversation[conversation] ?? groups.count
            case .webhook: index = 0
            case .message: index = groups.count
            }
            if index == groups.count { groups.append(Group()) }
            if isNew { indexByConversation[conversation] = index }
            if isNew || mode == .message { groups[index].conversations.append(conversation) }
            groups[index].events.append(event)
        }
        return attach(planned.filter { $0.conversation == nil }, to: groups)
    }

    /// What belongs to no conversation goes with the first part, or makes one of its own.
    private func attach(_ loose: [Planned], to groups: [Group]) -> [Group] {
        guard let first = loose.first else { return groups }
        var groups = groups
        if groups.isEmpty {
            let finder = ConversationFinder(document: document)
            let name = finder.unattached(at: envelope.places[first.found.place])
            return [Group(conversations: [name], events: loose)]
        }
        groups[0].events = (groups[0].events + loose).sorted { $0.found.node < $1.found.node }
        return groups
    }

    // MARK: Parts

    private func cut(_ group: Group) -> [UInt8] {
        var cutter = PartCutter(
            document: document, places: envelope.places, events: group.events.map(\.found)
        )
        return cutter.cut()
    }

    private func part(_ group: Group, _ bytes: PartBytes) -> Part {
        let index = group.events[0].found.place
        let place = index < 0 ? nil : envelope.places[index]
        return Part(
            conversations: group.conversations,
            bytes: bytes,
            events: group.events.map(\.event),
            field: string(place?.field) ?? "",
            phoneNumberID: string(place?.phoneNumberID)
        )
    }

    private func string(_ node: Int?) -> String? {
        document.text(of: node).map(ConversationName.make)
    }
}

/// Computes the keys of the events of one body.
struct EventKeyMaker {
    let document: JSONDocument
    let hasher: SHA256Hasher

    /// The key of one element of `statuses` or `messages`.
    func key(_ kind: EventKind, _ node: Int, phone place: Place?) -> EventKey {
        let bytes = UnsafeRawBufferPointer(document.bytes)
        let phone = place?.phoneNumberID.map(document.range) ?? 0..<0
        return EventKey(
            kind: kind,
            phoneNumberID: UnsafeRawBufferPointer(rebasing: bytes[phone]),
            object: UnsafeRawBufferPointer(rebasing: bytes[document.range(node)]),
            hasher: hasher
        )
    }
}
