import Base

/// Asks a running program of ours how it is, at its admin endpoint.
struct ProgramCheck {
    /// `ingest` or `workers`.
    let program: String
    let admin: ListenAddress
    /// The key that names the endpoint.
    let key: String

    private static let timeout = Duration.seconds(2)
    private static let reasonShownMax = 200

    func finding() -> Finding {
        let id = program
        guard admin.port > 0 else {
            return .warn(
                id, "\(key) has port 0, which only \(program) knows", advice: "name a port")
        }
        do throws(NetworkFailure) {
            let health = try get("/healthz")
            guard health.status == 200 else { return oddFinding(health) }
            let readiness = try get("/readyz")
            guard readiness.status == 200 else {
                let reason = String(
                    decoding: readiness.body.prefix(Self.reasonShownMax), as: UTF8.self)
                return .fail(
                    id, "runs, and cannot do its work: \(HostileText.line(reason))",
                    advice: "mend what it says; its log has more")
            }
            return .ok(id, "runs at \(admin), and is ready")
        } catch {
            return .fail(
                id, "not reachable at \(admin) (\(error))",
                advice: "start \(program), or set \(key) to where it listens")
        }
    }

    /// What it shows at /metrics; `nil` where it cannot be asked.
    func metrics() -> PrometheusText? {
        guard admin.port > 0 else { return nil }
        do throws(NetworkFailure) {
            let answer = try get("/metrics")
            guard answer.status == 200 else { return nil }
            return PrometheusText(String(decoding: answer.body, as: UTF8.self))
        } catch {
            return nil
        }
    }

    private func get(_ target: String) throws(NetworkFailure) -> HTTPAnswer {
        try HTTPConnection.get(
            WebAddress(reaching: admin, target: target), timeout: Self.timeout)
    }

    private func oddFinding(_ answer: HTTPAnswer) -> Finding {
        .fail(
            program, "something at \(admin) answers /healthz with \(answer.status)",
            advice: "is that \(program)? \(key) names its address")
    }
}
