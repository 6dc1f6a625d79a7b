/// The operator's routes: further destinations, and which deliveries go there.
///
///     # name and address; limits are those of FORWARD_… where they are not given
///     destination crm    http://10.0.0.5/hook   concurrency=4 rate=20 timeout=30s headers=yes
///
///     # the first that matches decides; what matches none goes to FORWARD_URL
///     route phone=106540352242922,106540352242923 field=messages   crm
///     route field=message_template_status_update                   drop
///     route field=account_update                                   dead
public struct RouteTable: Sendable, Equatable {
    /// A receiver beside `FORWARD_URL`.
    public struct Destination: Sendable, Equatable {
        /// Lower-case letters, digits and hyphens; at most ``nameByteCountMax``.
        public let name: String
        /// `http:` or `https:`.
        public let url: String
        /// Requests under way at once; nil: as `FORWARD_CONCURRENCY`.
        public var concurrencyMax: Int?
        /// Requests started a second; nil: no limit.
        public var ratePerSecondMax: Int?
        /// For one attempt; nil: as `FORWARD_TIMEOUT`.
        public var answerDurationMax: Duration?
        /// Whether `FORWARD_HEADERS` go there too.
        public var takesHeaders = false
    }

    /// What becomes of a delivery.
    public enum Target: Sendable, Equatable {
        /// To `FORWARD_URL`.
        case byDefault
        case destination(String)
        /// Counted, and gone.
        case drop
        /// A dead letter at once, without an attempt.
        case dead
    }

    /// Which deliveries go where.
    public struct Rule: Sendable, Equatable {
        /// Empty: any, and none.
        public var phoneNumberIDs: Set<String> = []
        /// Empty: any.
        public var fields: Set<String> = []
        /// Where they go.
        public var target: Target
    }

    /// Longest name of a destination.
    public static let nameByteCountMax = 32
    /// Most destinations, and most rules.
    public static let lineCountMax = 1_000

    /// In the order of the file.
    public internal(set) var destinations: [Destination] = []
    /// In the order of the file.
    public internal(set) var rules: [Rule] = []

    /// Where a delivery goes: what the first rule says that matches.
    ///
    /// - Parameters:
    ///   - field: of the delivery's first change.
    ///   - phoneNumberID: of the business number, where the body says.
    /// - Returns: ``Target/byDefault`` where none matches.
    public func target(field: String, phoneNumberID: String?) -> Target {
        let match = rules.first { rule in
            let isPhone =
                rule.phoneNumberIDs.isEmpty
                || phoneNumberID.map { rule.phoneNumberIDs.contains($0) } ?? false
            return isPhone && (rule.fields.isEmpty || rule.fields.contains(field))
        }
        return match?.target ?? .byDefault
    }

    /// What was expected instead of a URL that deliveries cannot be sent to; nil where they can.
    public static func problem(ofURL text: String) -> String? {
        guard !text.contains("#"), let address = WebAddress(text) else {
            return "http://HOST/PATH or https://HOST/PATH, without user or fragment"
        }
        // URLSession on Linux refuses such a URL.
        return address.isEncrypted && address.host.contains(":")
            ? "a host name or an IPv4 address; for an IPv6 address over https, a name of it" : nil
    }
}
