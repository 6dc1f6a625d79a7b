import Base
import CLinux
import Queue

/// Looks whether the clock can be trusted: ages, expiry and signatures for the cloud go by it.
struct ClockCheck {
    /// What the kernel says of the clock (adjtimex(2)).
    enum Discipline {
        case synchronized
        case free
        case unknown

        static var current: Discipline {
            switch clinux_clock_is_synchronized() {
            case 1: .synchronized
            case 0: .free
            default: .unknown
            }
        }
    }

    let now: Timestamp
    let discipline: Discipline
    /// When a webhook that is still in the log was received.
    let receivedAt: Timestamp?

    private static let id = "clock"
    /// The clock of a machine may be set back by that much without a word.
    private static let aheadMax = Duration.seconds(5)

    func finding() -> Finding {
        if now < Self.releasedAt {
            return .fail(
                Self.id, "the clock says \(now.rfc3339), before this program was made",
                advice: "set it, and let chrony or systemd-timesyncd keep it")
        }
        if let receivedAt, receivedAt.since(now) > Self.aheadMax {
            return .fail(
                Self.id,
                "the clock was set back: a webhook was received at \(receivedAt.rfc3339), now it "
                    + "is \(now.rfc3339)",
                advice: "let chrony or systemd-timesyncd keep the clock; ages are wrong until then")
        }
        switch discipline {
        case .synchronized: return .ok(Self.id, "\(now.rfc3339), kept by a time server")
        case .unknown: return .ok(Self.id, now.rfc3339)
        case .free:
            return .warn(
                Self.id, "no time server keeps the clock; it says \(now.rfc3339)",
                advice: "install chrony or systemd-timesyncd: S3 refuses a clock 15 minutes off")
        }
    }

    private static let releasedAt =
        Timestamp(rfc3339: Release.date + "T00:00:00Z").map { $0 - .seconds(86_400) }
        ?? Timestamp(rawValue: 0)
}
