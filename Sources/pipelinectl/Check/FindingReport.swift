import Base

/// Findings as a command writes them.
struct FindingReport {
    let findings: [Finding]

    init(_ findings: [Finding]) { self.findings = findings }

    /// The gravest of them.
    var worst: Finding.Verdict {
        if findings.contains(where: { $0.verdict == .fail }) { return .fail }
        return findings.contains { $0.verdict == .warn } ? .warn : .ok
    }

    /// Writes all of them.
    ///
    /// - Returns: ``ExitCode/failed`` where something does not work.
    func write(in context: Context) -> Int32 {
        let console = context.console
        if context.wantsJSON {
            console.write(
                ["verdict": .string(worst.rawValue), "items": .array(findings.map(\.json))])
        } else {
            switch console.reader {
            case .person(let colour): console.write(text(colour: colour))
            case .program: console.write(plain)
            }
        }
        return worst == .fail ? ExitCode.failed : ExitCode.ok
    }

    private func text(colour: Bool) -> String {
        let width = findings.map(\.id.count).max() ?? 0
        return findings.map { finding in
            let verdict = finding.verdict.rawValue
            let mark = finding.verdict.tone.painted(
                verdict + String(repeating: " ", count: 4 - verdict.count), colour: colour)
            let gap = String(repeating: " ", count: width - finding.id.count)
            let line = "\(mark)  \(finding.id)\(gap)  \(HostileText.line(finding.text))\n"
            guard let advice = finding.advice else { return line }
            return line + String(repeating: " ", count: width + 8)
                + "→ \(HostileText.line(advice))\n"
        }.joined()
    }

    private var plain: String {
        findings.map { finding in
            [finding.verdict.rawValue, finding.id, finding.text, finding.advice ?? ""]
                .map(HostileText.line).joined(separator: "\t") + "\n"
        }.joined()
    }
}
