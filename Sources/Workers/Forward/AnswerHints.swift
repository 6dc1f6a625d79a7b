/// Answers that mean a mistake in the set-up rather than in a message, and what to do about them.
///
/// A hint is said when it first applies, and again when it applies anew after answers of another
/// kind, but at most once in `silence`: a log is not filled by every message.
struct AnswerHints: Sendable {
    /// The mistakes that a status code gives away.
    enum Hint: String, Sendable, CaseIterable {
        case redirected
        case tooLarge
        case forbidden

        init?(status: Int) {
            switch status {
            case 300..<400: self = .redirected
            case 413: self = .tooLarge
            case 401, 403: self = .forbidden
            default: return nil
            }
        }

        /// What to do, in one line.
        var advice: String {
            switch self {
            case .redirected:
                "redirects are not followed, since they would turn the POST into a GET: "
                    + "set FORWARD_URL to the address it points to"
            case .tooLarge:
                "the receiver refuses the size: raise client_max_body_size in nginx and "
                    + "post_max_size in PHP to 4 MB or more"
            case .forbidden:
                "the receiver refuses the signature or the sender: check the app secret it "
                    + "knows, its CSRF exemption and a firewall in front of it (FORWARD_HEADERS)"
            }
        }
    }

    /// A hint is not repeated before this time is over.
    static let silence = Duration.seconds(600)

    private var current: Hint?
    private var saidAt: [Hint: Duration] = [:]

    /// Takes in an answer.
    ///
    /// - Returns: what is to be said now, if anything.
    mutating func noted(status: Int, now: Duration) -> Hint? {
        let hint = Hint(status: status)
        defer { current = hint }

        guard let hint, hint != current else { return nil }
        if let last = saidAt[hint], now - last < Self.silence { return nil }
        saidAt[hint] = now
        return hint
    }
}
