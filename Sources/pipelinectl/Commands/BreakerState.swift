import Base

/// Whether deliveries go out at all.
///
/// Known only to the forward pool, which shows it in its metrics.
enum BreakerState: Equatable {
    /// `closed`, `open` or `half-open`, as the forward pool names it.
    case known(String)
    /// Nobody could be asked.
    case unknown(why: String)

    private static let metric = "workers_forward_breaker_state"
    /// Longest wait for the admin endpoint; it is on this machine.
    private static let timeout = Duration.seconds(2)

    /// Asks the workers.
    static func ask(_ admin: ListenAddress) -> BreakerState {
        let address = WebAddress(reaching: admin, target: "/metrics")
        do throws(NetworkFailure) {
            let answer = try HTTPConnection.get(address, timeout: timeout)
            guard answer.status == 200 else {
                return .unknown(why: "workers answered \(answer.status)")
            }
            return read(metrics: String(decoding: answer.body, as: UTF8.self))
        } catch {
            return .unknown(why: "workers not reachable")
        }
    }

    /// Finds the state in Prometheus text: the label of the sample that is 1; where there are
    /// several destinations, the worst.
    static func read(metrics: String) -> BreakerState {
        var states: Set<String> = []
        for line in metrics.split(separator: "\n") where line.hasPrefix(metric + "{") {
            guard let space = line.lastIndex(of: " "), line[space...] == " 1",
                let start = line.firstRange(of: "state=\"")?.upperBound
            else { continue }
            states.insert(String(line[start...].prefix { $0 != "\"" }))
        }
        let worst = ["open", "half-open"].first(where: states.contains) ?? states.first
        return worst.map { .known($0) }
            ?? .unknown(why: "no forward pool runs in these workers")
    }

    var json: JSONValue {
        switch self {
        case .known(let state): ["state": .string(state), "detail": nil]
        case .unknown(let why): ["state": "unknown", "detail": .string(why)]
        }
    }

    var words: (text: String, tone: Tone) {
        switch self {
        case .known("closed"): ("closed: deliveries go out", .good)
        case .known("open"): ("open: PHP is down or refuses everything, deliveries wait", .bad)
        case .known("half-open"): ("half-open: one delivery tries whether PHP is back", .warning)
        case .known(let state): (state, .ordinary)
        case .unknown(let why): ("unknown (\(why))", .faint)
        }
    }
}
