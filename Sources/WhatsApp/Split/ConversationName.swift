/// The ordering key of events: what has the same one reaches PHP in order of arrival.
public enum ConversationName {
    /// Longest name in bytes; a longer one is replaced by its hash.
    public static let byteCountMax = 512

    /// Makes a name from decoded text of a body.
    ///
    /// Control characters, C1 included, are percent-encoded: the name is shown on terminals.
    static func make(_ text: [UInt8]) -> String {
        let name = hasControl(text) ? encodingControls(text) : text
        guard name.count > byteCountMax else { return String(decoding: name, as: UTF8.self) }
        let hasher = SHA256Hasher()
        text.withUnsafeBytes { hasher.update($0) }
        return "sha256:" + Hexadecimal.text(hasher.finish().bytes)
    }

    private static func hasControl(_ text: [UInt8]) -> Bool {
        text.contains { $0 < ASCII.space || $0 == ASCII.delete || $0 == 0xC2 }
    }

    private static func encodingControls(_ text: [UInt8]) -> [UInt8] {
        var name: [UInt8] = []
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            for byte in String(scalar).utf8 {
                guard scalar.properties.generalCategory == .control else {
                    name.append(byte)
                    continue
                }
                name.append(ASCII.percent)
                Hexadecimal.append(CollectionOfOne(byte), to: &name)
            }
        }
        return name
    }
}

/// Finds the conversation of an event.
struct ConversationFinder {
    /// What stands for a conversation where not even a field is known.
    private static let fallback = Array("webhook".utf8)

    let document: JSONDocument

    /// The conversation that an event names; nil for a key of a value, which belongs to none.
    func conversation(of event: FoundEvent, at place: Place?) -> String? {
        guard let place else { return ConversationName.make(Self.fallback) }
        switch event.extent {
        case .messageElement:
            return qualified(sender(of: event.fields, at: place), place)
        case .statusElement:
            return qualified(recipient(of: event.fields, at: place), place)
        case .webhook, .entry, .change:
            return unattached(at: place)
        case .key:
            return nil
        }
    }

    /// The conversation of a change, or of a key with no message beside it to go with.
    func unattached(at place: Place) -> String {
        let field = document.text(of: place.field) ?? Self.fallback
        guard let value = place.value else { return ConversationName.make(field) }
        if field.elementsEqual("calls".utf8), let call = callID(in: value) {
            return ConversationName.make(call)
        }
        return ConversationName.make(subject(in: value) ?? field)
    }

    private func qualified(_ name: [UInt8]?, _ place: Place) -> String {
        let number = document.text(of: place.phoneNumberID) ?? []
        let name = name ?? document.text(of: place.field) ?? Self.fallback
        return ConversationName.make(number + CollectionOfOne(ASCII.colon) + name)
    }

    private func sender(of fields: ElementFields, at place: Place) -> [UInt8]? {
        text(fields.groupID) ?? text(fields.fromUserID)
            ?? document.text(
                of: place.contacts.userID(ofWaID: document.present(fields.from), in: document)
            )
            ?? text(fields.from) ?? text(fields.id)
    }

    private func recipient(of fields: ElementFields, at place: Place) -> [UInt8]? {
        let recipient = document.present(fields.recipientID)
        if let type = document.present(fields.recipientType), let recipient,
            document.isText(type, equalTo: "group"), let group = document.text(of: recipient)
        {
            return group
        }
        return text(fields.recipientUserID)
            ?? document.text(of: place.contacts.userID(ofWaID: recipient, in: document))
            ?? document.text(of: recipient) ?? text(fields.id)
    }

    private func text(_ node: Int32) -> [UInt8]? {
        document.text(of: document.present(node))
    }

    /// `id` of the first call, or of the first status of a call.
    private func callID(in value: Int) -> [UInt8]? {
        for list in [KnownKey.calls, .statuses] {
            guard let array = document.member(list, of: value) else { continue }
            for element in document.elements(of: array) {
                if let id = document.text(of: document.member(.id, of: element)) { return id }
            }
        }
        return nil
    }

    /// Whom a change is about: the first of four keys in the value or in what it holds directly.
    private func subject(in value: Int) -> [UInt8]? {
        for name in [KnownKey.to, .waID, .recipientID, .userID] {
            if let text = document.text(of: document.member(name, of: value)) { return text }
            for key in document.keys(of: value) where document.name(ofKey: key) != .contacts {
                if let text = first(name, in: document.value(ofKey: key)) { return text }
            }
            if let contacts = document.member(.contacts, of: value),
                let text = first(name, in: contacts)
            {
                return text
            }
        }
        return nil
    }

    /// The first text of this key in an object, or in the objects of an array.
    private func first(_ name: KnownKey, in node: Int) -> [UInt8]? {
        if let text = document.text(of: document.member(name, of: node)) { return text }
        for element in document.elements(of: node) {
            if let text = document.text(of: document.member(name, of: element)) { return text }
        }
        return nil
    }
}
