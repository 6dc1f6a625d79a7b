/// How a piece of text is to strike the eye; only terminals show it, and never with NO_COLOR.
enum Tone: Sendable {
    case ordinary
    /// Headings, and what matters less.
    case faint
    case strong
    case good
    case warning
    case bad

    /// Select Graphic Rendition (ECMA-48), understood by every terminal since the VT100's heirs.
    private var code: String? {
        switch self {
        case .ordinary: nil
        case .faint: "2"
        case .strong: "1"
        case .good: "32"
        case .warning: "33"
        case .bad: "31"
        }
    }

    /// The text in this tone, or as it is.
    func painted(_ text: String, colour: Bool) -> String {
        guard colour, let code, !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}
