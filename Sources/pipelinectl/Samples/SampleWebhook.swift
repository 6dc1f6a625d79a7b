import Base

/// Webhooks as WhatsApp sends them, made up to try an installation with.
///
/// Each has ids of its own and the time of its making, so that it is no double of another.
struct SampleWebhook {
    enum Kind: String, CaseIterable, Sendable {
        /// A customer's message.
        case text
        /// Three statuses of a message that was sent.
        case status
        /// A message and a status in one body, which is legal and rare.
        case mixed
        /// A message template was approved.
        case template
    }

    let now: Timestamp
    /// Where ids come from.
    var random: any RandomNumberGenerator = SystemRandomNumberGenerator()

    private static let businessAccountID = "100200300400500"
    private static let phoneNumberID = "500400300200100"
    // Numbers with 555-01xx belong to nobody.
    private static let businessNumber = "15550100000"
    /// Customers take turns, so that many samples are many conversations.
    private static let customerCount = 100

    init(now: Timestamp) { self.now = now }

    /// The body of one webhook; its number among several, from 0, chooses the customer.
    mutating func body(_ kind: Kind, number: Int) -> [UInt8] {
        let customer = "155501001" + Self.twoDigits(number % Self.customerCount)
        let change: JSONValue =
            switch kind {
            case .text: Self.messages([message(from: customer)], statuses: [], with: customer)
            case .status: Self.messages([], statuses: statuses(of: customer), with: customer)
            case .mixed:
                Self.messages(
                    [message(from: customer)], statuses: Array(statuses(of: customer).suffix(1)),
                    with: customer)
            case .template: templateApproval()
            }
        let body: JSONValue = [
            "object": "whatsapp_business_account",
            "entry": [["id": .string(Self.businessAccountID), "changes": [change]]],
        ]
        return Array(body.text.utf8)
    }

    private static func messages(
        _ messages: [JSONValue],
        statuses: [JSONValue],
        with customer: String
    ) -> JSONValue {
        var value: [JSONValue.Member] = [
            .init(key: "messaging_product", value: "whatsapp"),
            .init(
                key: "metadata",
                value: [
                    "display_phone_number": .string(businessNumber),
                    "phone_number_id": .string(phoneNumberID),
                ]),
        ]
        if !messages.isEmpty {
            let contact: JSONValue = [
                "profile": ["name": "Sample Customer"], "wa_id": .string(customer),
            ]
            value.append(.init(key: "contacts", value: [contact]))
            value.append(.init(key: "messages", value: .array(messages)))
        }
        if !statuses.isEmpty { value.append(.init(key: "statuses", value: .array(statuses))) }
        return ["value": .object(value), "field": "messages"]
    }

    private mutating func message(from customer: String) -> JSONValue {
        [
            "from": .string(customer),
            "id": .string(messageID()),
            "timestamp": .string(String(now.seconds)),
            "text": ["body": "Hello! This is a sample message from pipelinectl."],
            "type": "text",
        ]
    }

    private mutating func statuses(of customer: String) -> [JSONValue] {
        let id = messageID()
        return ["sent", "delivered", "read"].map { status in
            [
                "id": .string(id),
                "status": .string(status),
                "timestamp": .string(String(now.seconds)),
                "recipient_id": .string(customer),
            ]
        }
    }

    private mutating func templateApproval() -> JSONValue {
        [
            "value": [
                "event": "APPROVED",
                "message_template_id": .int(Int.random(in: 1...999_999_999_999, using: &random)),
                "message_template_name": "sample_reminder",
                "message_template_language": "en_US",
                "reason": "NONE",
            ],
            "field": "message_template_status_update",
        ]
    }

    private mutating func messageID() -> String {
        let bytes = (0..<24).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return "wamid." + Base64.encode(bytes)
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
