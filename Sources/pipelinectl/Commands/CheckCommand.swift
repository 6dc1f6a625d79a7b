import Base
import Queue

/// The command `check`.
enum CheckCommand: Command {
    static let specification = CommandSpecification(
        words: ["check"],
        summary: "what is wrong with this installation, and what to do about it",
        details: [
            "Looks at configuration, files, database, disk, clock, both programs and their ports, "
                + "PHP and the lake. "
                + "Changes nothing and sends nothing to PHP; in a bucket it puts one small object, "
                + ".pipelinectl-check, which no reader of a lake looks at. "
                + "Leaves with 1 when anything fails; "
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
        FindingReport(look(context)).write(in: context)
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
        if let path = context.arguments.text(.config) {
            findings.append(SettingsFileCheck(path: path).finding())
        }
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
        let database = DatabaseCheck(location: location)
        findings += database.findings()
        findings.append(
            ClockCheck(
                now: .now(), discipline: .current, receivedAt: database.oldestReceivedAt()
            ).finding())
        findings += ingestFindings(settings) + workersFindings(settings)
        findings += [
            ReceiverCheck(url: settings.forwardURL).finding()
        ]
        findings += lakeFindings(settings)
        findings += (settings.routes?.destinations ?? []).map {
            ReceiverCheck(url: $0.url, id: "php:\($0.name)").finding()
        }
        return findings
    }

    private static func ingestFindings(_ settings: CheckSettings) -> [Finding] {
        let check = ProgramCheck(
            program: "ingest", admin: settings.ingestAdminListen, key: "INGEST_ADMIN_LISTEN")
        let metrics = check.metrics()
        let listen = ListenCheck(address: settings.ingestListen, isRunning: metrics != nil)
        let findings = [check.finding(), listen.finding()]
        guard let metrics else { return findings }
        let shown = MetricsCheck(program: "ingest", metrics: metrics)
        return findings + [
            shown.versionFinding(),
            shown.descriptorFinding(connectionsMax: settings.ingestConnectionsMax),
        ]
    }

    private static func workersFindings(_ settings: CheckSettings) -> [Finding] {
        let check = ProgramCheck(
            program: "workers", admin: settings.workersAdminListen, key: "WORKERS_ADMIN_LISTEN")
        guard let metrics = check.metrics() else { return [check.finding()] }
        let shown = MetricsCheck(program: "workers", metrics: metrics)
        return [check.finding(), shown.versionFinding(), shown.breakerFinding()]
    }

    private static func lakeFindings(_ settings: CheckSettings) -> [Finding] {
        switch settings.lakeAddress {
        case .s3:
            guard let s3 = settings.s3 else { return [] }
            return BucketCheck(settings: s3, aws: settings.aws).findings()
        case .firehose(let stream):
            return [StreamCheck(stream: stream, aws: settings.aws).finding()]
        case .directory, nil: return [LakeCheck(url: settings.lakeURL).finding()]
        }
    }

    private static func configurationFindings(_ settings: CheckSettings) -> [Finding] {
        guard !settings.problems.isEmpty else {
            return [.ok("configuration", "every key that is set can be read")]
        }
        return settings.problems.map {
            .fail("configuration", $0.description, advice: "see docs/CONFIGURATION.md")
        }
    }
}
