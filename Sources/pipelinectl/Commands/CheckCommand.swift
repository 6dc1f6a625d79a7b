import Base
import Queue

/// The command `check`.
enum CheckCommand: Command {
    static let specification = CommandSpecification(
        words: ["check"],
        summary: "what is wrong with this installation, and what to do about it",
        details: [
            "Looks at configuration, files, database, disk, both programs, PHP and the lake. "
                + "Changes nothing and sends nothing to PHP. Leaves with 1 when anything fails; "
                + "what is only worth a warning does not count.",
            "In a pipe, separated by tabs: verdict, what was looked at, what was found, advice.",
        ],
        examples: [
            .init(line: "check", meaning: "after installing, and before calling somebody"),
            .init(
                line: "check --config /etc/whatsapp-pipeline/pipeline.env",
                meaning: "with the settings of the services"),
        ]
    )

    static func run(in context: Context) throws(Failure) -> Int32 {
        let findings = look(context)
        let worst = worst(of: findings)
        let json: JSONValue = [
            "verdict": .string(worst.rawValue), "items": .array(findings.map(\.json)),
        ]
        if context.wantsJSON {
            context.console.write(json)
        } else {
            switch context.console.reader {
            case .person(let colour):
                context.console.write(text(findings, colour: colour))
            case .program:
                context.console.write(plain(findings))
            }
        }
        return worst == .fail ? ExitCode.failed : ExitCode.ok
    }

    private static func look(_ context: Context) -> [Finding] {
        let source: ConfigurationSource
        do throws(Failure) {
            source = try context.configuration()
        } catch {
            return error.lines.map {
                .fail("configuration", $0, advice: "give --config a file that this user can read")
            }
        }
        let settings = CheckSettings(source)
        let location = QueueLocation(path: settings.queuePath)
        var findings = configurationFindings(settings)
        do throws(SystemError) {
            try SystemUser.becomeOwner(of: location)
        } catch {
            findings.append(
                .fail("user", "\(error)", advice: "run this as the user who owns the queue"))
            return findings
        }
        findings += FileCheck(
            location: location, diskFreeBytesMin: settings.diskFreeBytesMin
        ).findings()
        findings += DatabaseCheck(location: location).findings()
        findings += [
            ProgramCheck(
                program: "ingest", admin: settings.ingestAdminListen, key: "INGEST_ADMIN_LISTEN"
            ).finding(),
            ProgramCheck(
                program: "workers", admin: settings.workersAdminListen,
                key: "WORKERS_ADMIN_LISTEN"
            ).finding(),
            ReceiverCheck(url: settings.forwardURL).finding(),
            LakeCheck(url: settings.lakeURL).finding(),
        ]
        return findings
    }

    private static func configurationFindings(_ settings: CheckSettings) -> [Finding] {
        guard !settings.problems.isEmpty else {
            return [.ok("configuration", "every key that is set can be read")]
        }
        return settings.problems.map {
            .fail("configuration", $0.description, advice: "see docs/CONFIGURATION.md")
        }
    }

    private static func worst(of findings: [Finding]) -> Finding.Verdict {
        if findings.contains(where: { $0.verdict == .fail }) { return .fail }
        return findings.contains { $0.verdict == .warn } ? .warn : .ok
    }

    private static func text(_ findings: [Finding], colour: Bool) -> String {
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

    private static func plain(_ findings: [Finding]) -> String {
        findings.map { finding in
            [finding.verdict.rawValue, finding.id, finding.text, finding.advice ?? ""]
                .map(HostileText.line).joined(separator: "\t") + "\n"
        }.joined()
    }
}
