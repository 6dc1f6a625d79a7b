import Base
import Glibc

/// Looks at the address that WhatsApp, or the proxy in front, sends to.
struct ListenCheck {
    /// INGEST_LISTEN.
    let address: ListenAddress
    /// Whether ingest answers at its admin address.
    let isRunning: Bool

    private static let id = "ingest.port"
    private static let timeout = Duration.seconds(2)

    func finding() -> Finding {
        guard address.port > 0 else {
            return .warn(
                Self.id, "INGEST_LISTEN has port 0, which only ingest knows",
                advice: "name a port")
        }
        return isRunning ? runningFinding() : stoppedFinding()
    }

    private func runningFinding() -> Finding {
        do throws(NetworkFailure) {
            let reaching = WebAddress(reaching: address, target: "/")
            _ = try TCPSocket(
                host: reaching.host, port: reaching.port,
                deadline: MonotonicClock.now() + Self.timeout)
            return .ok(Self.id, "\(address) takes connections")
        } catch {
            return .fail(
                Self.id, "ingest runs, and \(address) takes no connection (\(error))",
                advice: "was ingest started with other settings? Its start-up line says where it "
                    + "listens")
        }
    }

    private func stoppedFinding() -> Finding {
        do throws(SystemError) {
            _ = try address.listen(backlog: 1)
            return .ok(Self.id, "\(address) is free for ingest")
        } catch {
            switch error.code {
            case EADDRINUSE:
                return .fail(
                    Self.id, "another program listens at \(address)",
                    advice: "find it with `ss -ltnp`, and stop it or change INGEST_LISTEN")
            case EACCES:
                return .warn(
                    Self.id, "\(address) is for root alone",
                    advice: "let systemd's socket unit open it, or take a port above 1023")
            case EADDRNOTAVAIL:
                return .fail(
                    Self.id, "\(address.host) is no address of this machine",
                    advice: "`ip address` lists those it has; 0.0.0.0 is all of them")
            default:
                return .fail(Self.id, "\(error)", advice: "change INGEST_LISTEN")
            }
        }
    }
}
