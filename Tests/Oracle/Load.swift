import Base

/// What one step of one sender is: a body and the events in it, computed from their numbers alone.
///
/// So nothing that was sent has to be kept to compare it with what arrives: an identifier names the
/// step, and the step gives the bytes.
public struct Load: Sendable {
    /// One status or message of a step.
    public struct Event: Hashable, Sendable {
        /// Where it belongs in the end.
        public enum Kind: String, Sendable {
            case status = "S"
            case message = "M"
            /// A message that PHP refuses for good until it is lenient.
            case poison = "P"
        }

        /// Status, message or poison.
        public let kind: Kind
        /// The sender's number.
        public let sender: Int
        /// Which of the sender's conversations.
        public let line: Int
        /// The sender's step, from 1.
        public let step: Int
        /// Its place among the statuses of the step.
        public let index: Int

        /// WhatsApp's identifier, from which the event can be read again.
        public var id: String { "wamid.\(kind.rawValue)-\(sender)-\(line)-\(step)-\(index)" }

        /// Reads an identifier; `nil` where no step of ours has it.
        public init?(id: String) {
            let parts = id.split(separator: "-").map(String.init)
            guard parts.count == 5, parts[0].hasPrefix("wamid."),
                let kind = Kind(rawValue: String(parts[0].dropFirst(6))),
                let sender = Int(parts[1]), let line = Int(parts[2]), let step = Int(parts[3]),
                let index = Int(parts[4])
            else { return nil }
            self.init(kind: kind, sender: sender, line: line, step: step, index: index)
            guard self.id == id else { return nil }
        }

        init(kind: Kind, sender: Int, line: Int, step: Int, index: Int) {
            self.kind = kind
            self.sender = sender
            self.line = line
            self.step = step
            self.index = index
        }

        /// The sender's telephone number, by which PHP's deliveries are ordered.
        public var conversation: String { "49157\(1_000 + sender)0\(line)" }

        /// The object as it stands in the body.
        public var element: String {
            // White space in a status is not kept; escapes and unknown keys are.
            let text = #"\u00e4 \/ "# + String(repeating: "x", count: (step &* 31 &+ sender) % 200)
            switch kind {
            case .status:
                return #"{"id":"\#(id)","status":"sent","timestamp":"\#(Load.epoch + step)","#
                    + #""recipient_id":"\#(conversation)","unknown":{"note":"\#(text)"}}"#
            case .message, .poison:
                return #"{"from":"\#(conversation)","id":"\#(id)","#
                    + #""timestamp":"\#(Load.epoch + step)","type":"text","#
                    + #""text":{"body":"\#(text)"}}"#
            }
        }
    }

    /// The bytes of the POST.
    public let body: [UInt8]
    /// Everything in it that has to arrive.
    public let events: [Event]
    /// Whether PHP has to get the very bytes: one conversation, no statuses.
    public let isWhole: Bool

    /// The statuses' own time, near enough to now that they are told from their doubles by it.
    static let epoch = Int(Timestamp.now().rawValue / 1_000) - 86_400

    /// One step of a sender.
    public init(sender: Int, step: Int) {
        func message(_ line: Int) -> Event {
            Event(kind: .message, sender: sender, line: line, step: step, index: 0)
        }
        let statuses = (0...(step % 3)).map {
            Event(kind: .status, sender: sender, line: 0, step: step, index: $0)
        }
        let (left, right): ([Event], [Event]) =
            switch step % 8 {
            case 0, 4: (statuses, [])
            case 1, 5: ([], [message(1)])
            case 2: (statuses, [message(2)])
            case 3: ([], [message(1), message(2)])
            case 6 where step % 48 == 6:
                ([], [Event(kind: .poison, sender: sender, line: 3, step: step, index: 0)])
            default: ([], [message(2)])
            }
        events = left + right
        isWhole = left.isEmpty && right.count == 1
        body = Array(Self.text(statuses: left, messages: right).utf8)
    }

    private static func text(statuses: [Event], messages: [Event]) -> String {
        var members: [String] = []
        for (name, events) in [("statuses", statuses), ("messages", messages)]
        where !events.isEmpty {
            let elements = events.map(\.element).joined(separator: ",")
            members.append(#""\#(name)":[\#(elements)]"#)
        }
        return #"{"object":"whatsapp_business_account","entry":[{"id":"8001","changes":[{"value":"#
            + #"{"messaging_product":"whatsapp","metadata":{"display_phone_number":"4930","#
            + #""phone_number_id":"7001"},\#(members.joined(separator: ","))},"#
            + #""field":"messages"}]}]}"#
    }
}
