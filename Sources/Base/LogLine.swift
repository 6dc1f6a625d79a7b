/// One line of the log before it has a look.
struct LogLine {
    enum Style: Equatable, Sendable {
        case text
        case json
        /// Text with journald's priority in front, `<4>`; journald takes it off (sd-daemon(3)).
        case journalText
        /// JSON with journald's priority in front.
        case journalJSON

        init(format: Log.Format, isTerminal: Bool, isJournal: Bool) {
            switch format {
            case .text: self = isJournal ? .journalText : .text
            case .json: self = isJournal ? .journalJSON : .json
            case .auto where isTerminal: self = .text
            case .auto: self = isJournal ? .journalJSON : .json
            }
        }
    }

    let time: Timestamp
    let level: Log.Level
    let program: String
    let message: String
    let fields: [(key: String, value: LogValue)]

    /// The whole line, its one newline at the end.
    func rendered(as style: Style) -> String {
        switch style {
        case .text: text
        case .json: json
        case .journalText: "<\(level.priority)>" + text
        case .journalJSON: "<\(level.priority)>" + json
        }
    }

    private var text: String {
        var line = "\(time.rfc3339) \(level.rawValue) \(program): "
        SafeText.appendEscaped(message, to: &line)
        for (key, value) in fields {
            line += " "
            SafeText.appendQuotedIfNeeded(key, to: &line)
            line += "="
            switch value {
            case .string(let text): SafeText.appendQuotedIfNeeded(text, to: &line)
            case .int(let number): line += "\(number)"
            case .double(let number): line += "\(number)"
            case .bool(let truth): line += "\(truth)"
            }
        }
        return line + "\n"
    }

    private var json: String {
        var line = "{\"time\":\"\(time.rfc3339)\",\"level\":\"\(level.rawValue)\",\"program\":"
        SafeText.appendQuoted(program, to: &line)
        line += ",\"message\":"
        SafeText.appendQuoted(message, to: &line)
        for (key, value) in fields {
            line += ","
            SafeText.appendQuoted(Self.reserved.contains(key) ? key + "_" : key, to: &line)
            line += ":"
            switch value {
            case .string(let text): SafeText.appendQuoted(text, to: &line)
            case .int(let number): line += "\(number)"
            case .double(let number): line += number.isFinite ? "\(number)" : "\"\(number)\""
            case .bool(let truth): line += "\(truth)"
            }
        }
        return line + "}\n"
    }

    /// Keys of the line itself: a field of that name gets an underscore, so that none stands twice.
    private static let reserved: Set<String> = ["time", "level", "program", "message"]
}
