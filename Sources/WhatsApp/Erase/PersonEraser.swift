/// Takes one person's events out of a webhook body; what stays has its own bytes.
///
/// An event is a person's where a string anywhere in it is their number or user id: a status by its
/// recipient, a message by its sender, any other change by whom it names. A message in which
/// somebody else answers theirs (`context`) stays. Their `contacts` go as well.
public struct PersonEraser {
    private let person: [UInt8]
    private let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])

    /// - Parameter person: a wa_id or a user id, as it stands in the bodies.
    public init(person: String) { self.person = Array(person.utf8) }

    /// What became of a body.
    public enum Outcome: Sendable, Equatable {
        /// The person is not in it.
        case untouched
        /// The body without them; what was taken out, in statuses for the lake and other events.
        case cut([UInt8], statusCount: Int, eventCount: Int)
        /// Not one event is left, or the body cannot be read and holds the person's number.
        case gone(statusCount: Int, eventCount: Int)
    }

    /// Reads a body, and cuts it where the person is in it.
    ///
    /// - Parameter body: as it is stored.
    /// - Returns: what is left of it.
    public func erase(from body: [UInt8]) -> Outcome {
        guard holdsPerson(body) else { return .untouched }
        guard case .events(let before) = splitter.split(body) else {
            return .gone(statusCount: 0, eventCount: 1)
        }
        let rest = body.withUnsafeBufferPointer { bytes -> [UInt8]? in
            var tape = JSONTape()
            guard (try? JSONScanner.scan(bytes, into: &tape)) != nil else { return nil }
            var rewriter = PersonRewriter(
                document: JSONDocument(bytes: bytes, tape: tape), person: person)
            return rewriter.rewrite()
        }
        guard let rest, case .events(let after) = splitter.split(rest), !after.isEmpty else {
            return .gone(statusCount: before.statuses.count, eventCount: before.eventCount)
        }
        if rest == body { return .untouched }
        return .cut(
            rest, statusCount: before.statuses.count - after.statuses.count,
            eventCount: before.eventCount - after.eventCount)
    }

    /// Whether a line of the lake is about the person.
    public func isAbout(line: [UInt8]) -> Bool {
        guard holdsPerson(line) else { return false }
        return line.withUnsafeBufferPointer { bytes in
            var tape = JSONTape()
            guard (try? JSONScanner.scan(bytes, into: &tape)) != nil else { return true }
            let document = JSONDocument(bytes: bytes, tape: tape)
            return PersonRewriter(document: document, person: person).names(document.root)
        }
    }

    /// Cheap, and true for everything that is worth a closer look: ids have no escapes.
    private func holdsPerson(_ body: [UInt8]) -> Bool {
        guard let first = person.first, body.count >= person.count else { return false }
        return body.indices.dropLast(person.count - 1).contains { index in
            body[index] == first && body[index..<index + person.count].elementsEqual(person)
        }
    }
}

/// Writes a body again without what names a person.
struct PersonRewriter {
    let document: JSONDocument
    let person: [UInt8]
    private var output: [UInt8] = []

    init(document: JSONDocument, person: [UInt8]) {
        self.document = document
        self.person = person
    }

    /// - Returns: nil where the body is one event as a whole, and names the person.
    mutating func rewrite() -> [UInt8]? {
        let root = document.root
        guard let entries = document.member(.entry, of: root),
            document.kind(entries) == .array,
            let object = document.member(.object, of: root),
            document.isText(object, equalTo: "whatsapp_business_account")
        else { return names(root) ? nil : Array(document.bytes) }
        copy(document.range(root).lowerBound..<document.range(entries).lowerBound)
        writeArray(entries) { writer, entry in writer.writeEntry(entry) }
        copy(document.range(entries).upperBound..<document.range(root).upperBound)
        return output
    }

    private mutating func writeEntry(_ entry: Int) {
        guard let changes = document.member(.changes, of: entry),
            document.kind(changes) == .array
        else {
            if !names(entry) { copyElement(entry) }
            return
        }
        separate()
        copy(document.range(entry).lowerBound..<document.range(changes).lowerBound)
        writeArray(changes) { writer, change in writer.writeChange(change) }
        copy(document.range(changes).upperBound..<document.range(entry).upperBound)
    }

    private mutating func writeChange(_ change: Int) {
        guard let field = document.member(.field, of: change),
            document.isText(field, equalTo: "messages"),
            let value = document.member(.value, of: change), document.kind(value) == .object
        else {
            if !names(change) { copyElement(change) }
            return
        }
        separate()
        copy(document.range(change).lowerBound..<document.range(value).lowerBound)
        output.append(ASCII.openBrace)
        for key in document.keys(of: value) { writeMember(key) }
        output.append(ASCII.closeBrace)
        copy(document.range(value).upperBound..<document.range(change).upperBound)
    }

    private mutating func writeMember(_ key: Int) {
        let value = document.value(ofKey: key)
        switch document.name(ofKey: key) {
        case .statuses, .messages, .contacts:
            guard document.kind(value) == .array else { break }
            separate()
            copy(document.range(key).lowerBound..<document.range(value).lowerBound)
            writeArray(value) { writer, element in
                if !writer.names(element) { writer.copyElement(element) }
            }
            return
        case .messagingProduct, .metadata:
            separate()
            return copy(document.range(key).lowerBound..<document.range(value).upperBound)
        default:
            break
        }
        guard !names(value) else { return }
        separate()
        copy(document.range(key).lowerBound..<document.range(value).upperBound)
    }

    private mutating func writeArray(_ array: Int, _ write: (inout Self, Int) -> Void) {
        output.append(ASCII.openBracket)
        for element in document.elements(of: array) { write(&self, element) }
        output.append(ASCII.closeBracket)
    }

    /// Whether a string inside is the person; what somebody answered to does not count.
    func names(_ node: Int) -> Bool {
        switch document.kind(node) {
        case .object:
            return document.keys(of: node).contains { key in
                !document.isText(key, equalTo: "context") && names(document.value(ofKey: key))
            }
        case .array:
            return document.elements(of: node).contains { names($0) }
        default:
            return document.text(of: node).map { $0.elementsEqual(person) } ?? false
        }
    }

    private mutating func copyElement(_ node: Int) {
        separate()
        copy(document.range(node))
    }

    private mutating func separate() {
        guard let last = output.last, last != ASCII.openBracket, last != ASCII.openBrace else {
            return
        }
        output.append(ASCII.comma)
    }

    private mutating func copy(_ range: Range<Int>) {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: document.bytes[range]))
    }
}
