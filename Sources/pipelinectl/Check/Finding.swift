/// What one look at the installation found.
struct Finding: Equatable, Sendable {
    enum Verdict: String, CaseIterable, Sendable {
        case ok
        /// It works, and will not for long or not safely.
        case warn
        /// It does not work.
        case fail

        var tone: Tone {
            switch self {
            case .ok: .good
            case .warn: .warning
            case .fail: .bad
            }
        }
    }

    /// What was looked at: words with dots between them, the same in every release.
    let id: String
    let verdict: Verdict
    let text: String
    /// What to do about it; `nil` where there is nothing to do.
    let advice: String?

    static func ok(_ id: String, _ text: String) -> Finding {
        Finding(id: id, verdict: .ok, text: text, advice: nil)
    }

    static func warn(_ id: String, _ text: String, advice: String) -> Finding {
        Finding(id: id, verdict: .warn, text: text, advice: advice)
    }

    static func fail(_ id: String, _ text: String, advice: String) -> Finding {
        Finding(id: id, verdict: .fail, text: text, advice: advice)
    }

    var json: JSONValue {
        [
            "id": .string(id), "verdict": .string(verdict.rawValue), "text": .string(text),
            "advice": .optional(advice),
        ]
    }
}
