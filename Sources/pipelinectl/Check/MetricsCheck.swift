import Base
import Queue

/// Looks at what a running program shows of itself.
struct MetricsCheck {
    /// `ingest` or `workers`.
    let program: String
    let metrics: PrometheusText

    /// Descriptors that ingest needs beside those of its connections.
    private static let descriptorsBeside = 64.0

    /// Whether it is of another release than this pipelinectl.
    func versionFinding() -> Finding {
        let id = program + ".version"
        let sqlite = SQLiteLibrary.version
        let labels =
            "program=\"\(program)\",sqlite=\"\(sqlite)\",version=\"\(Release.version)\""
        guard metrics.value("pipeline_build_info", labels) == nil else {
            return .ok(id, "\(Release.version), with SQLite \(sqlite), as this pipelinectl")
        }
        return .warn(
            id,
            "\(program) is not \(Release.version) with SQLite \(sqlite), as this pipelinectl is",
            advice: "restart \(program) after an upgrade, or call the pipelinectl beside it")
    }

    /// Whether as many connections as are allowed can be opened at all.
    func descriptorFinding(connectionsMax: Int) -> Finding {
        let id = program + ".descriptors"
        guard let most = metrics.value("process_max_fds") else {
            return .warn(
                id, "\(program) does not say how many files it may open",
                advice: "restart it with this release")
        }
        let needed = Double(connectionsMax) + Self.descriptorsBeside
        guard most < needed else {
            return .ok(
                id, "\(Humane.count(Int(most))) files may be open, enough for all connections")
        }
        return .warn(
            id,
            "\(Humane.count(Int(most))) files may be open, too few for "
                + Humane.count(connectionsMax, "connection"),
            advice: "LimitNOFILE=\(Int(needed)) in the unit, or a smaller INGEST_CONNECTIONS_MAX")
    }

    /// Whether deliveries go out at all.
    func breakerFinding() -> Finding {
        let id = "breaker"
        // The worst of several destinations.
        let states = ["open", "half-open", "closed"]
        let state = states.first {
            metrics.value("workers_forward_breaker_state", "state=\"\($0)\"") ?? 0 >= 1
        }
        switch state {
        case "closed": return .ok(id, "closed: deliveries go out")
        case nil:
            return .warn(
                id, "no forward pool runs in these workers",
                advice: "start workers without --pool lake, or a second one with --pool forward")
        default:
            return .fail(
                id, "PHP is down or refuses everything: deliveries wait",
                advice: "see the line `php`, and the log of workers; it goes on by itself")
        }
    }
}
