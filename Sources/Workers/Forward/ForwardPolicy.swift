import Base

/// The one table that decides what becomes of a delivery after an attempt.
///
/// Pure: ages, counts and chance are arguments. Nothing else in this program looks at a status code
/// to decide about a retry.
///
///     answer                                   while the breaker is closed      otherwise
///     ---------------------------------------  -------------------------------  ---------------
///     200...299                                delivered                        delivered
///     408, 425, 429, 500...599, time-out,      tried again; an attempt is spent tried again, free
///       connection lost
///     name, connection or TLS failed           tried again, free                tried again, free
///     anything else, redirects included        tried again `refusalsMax` times  tried again, free
///
/// A batch that was reached and failed says nothing about any one of its deliveries: each is tried
/// again alone, free; at once where it was refused, after a delay where the receiver had trouble.
///
/// What is free waits for the breaker more than for its own delay, which stays the shortest then.
/// Spent attempts end at `attemptsMax`, and everything ends at `ageMax`: dead, with the reason.
struct ForwardPolicy: Sendable, Equatable {
    /// Attempts that may be spent on one delivery before it is dead, `FORWARD_ATTEMPTS_MAX`.
    var attemptsMax: Int
    /// Refusals (4xx, 3xx and the like) before a delivery is dead, `FORWARD_REFUSALS_MAX`.
    var refusalsMax: Int
    /// Age, counted from the first recorded failure, at which a failing delivery is dead.
    var ageMax: Duration
    /// The ceiling of the first delay, and the widest ceiling.
    var backoff: Backoff

    /// Decides about one delivery.
    ///
    /// - Parameters:
    ///   - answer: what the attempt came to.
    ///   - history: the delivery before this attempt.
    ///   - isFree: true where nothing may be spent: a probe, or the breaker was not closed.
    ///   - jitter: a fraction in `0..<1`.
    /// - Returns: what the table says; nothing is remembered here.
    func outcome(
        of answer: AttemptAnswer, history: History, isFree: Bool, jitter: Double
    ) -> Outcome {
        switch answer.kind {
        case .delivered:
            return .delivered
        case .unreached:
            let exponent = isFree ? 1 : history.attemptTotal + 1
            return retry(answer, exponent: exponent, isSpent: false, jitter)
        case .transient, .refused:
            if isFree { return retry(answer, exponent: 1, isSpent: false, jitter) }
            if history.isTogether {
                let isRefused = answer.kind == .refused
                return .alone(after: isRefused ? .zero : delay(answer, exponent: 1, jitter))
            }
            return deadReason(of: answer, history: history).map(Outcome.dead)
                ?? retry(answer, exponent: history.attemptCount + 1, isSpent: true, jitter)
        }
    }

    private func deadReason(of answer: AttemptAnswer, history: History) -> DeadCause? {
        if case .answered(let status, _) = answer, answer.kind == .refused,
            history.refusalCount + 1 >= refusalsMax
        {
            return .refused(status: status)
        }
        if history.attemptCount + 1 >= attemptsMax { return .attemptsSpent }
        if let age = history.age, age >= ageMax { return .tooOld }
        return nil
    }

    private func retry(
        _ answer: AttemptAnswer, exponent: Int, isSpent: Bool, _ jitter: Double
    ) -> Outcome {
        .retry(after: delay(answer, exponent: exponent, jitter), isSpent: isSpent)
    }

    private func delay(_ answer: AttemptAnswer, exponent: Int, _ jitter: Double) -> Duration {
        let wanted = answer.retryAfter.map { min($0, backoff.delayMax) } ?? .zero
        return max(wanted, backoff.delay(afterAttempt: exponent, jitter: jitter))
    }
}

extension ForwardPolicy {
    /// What a delivery has behind it before the attempt that is judged.
    struct History: Sendable, Equatable {
        /// Attempts spent.
        var attemptCount: Int
        /// Refusals among them.
        var refusalCount: Int
        /// All attempts ever made, free ones included.
        var attemptTotal: Int
        /// Time since the first recorded failure, counted only while the breaker was closed.
        var age: Duration?
        /// Whether the attempt carried others as well.
        var isTogether = false
    }

    /// What becomes of the delivery.
    enum Outcome: Sendable, Equatable {
        case delivered
        case retry(after: Duration, isSpent: Bool)
        /// Tried again in a POST of its own; nothing is spent.
        case alone(after: Duration)
        case dead(DeadCause)
    }

    /// Why a delivery is given up.
    enum DeadCause: Sendable, Equatable {
        /// PHP said no often enough; the status of the last time.
        case refused(status: Int)
        case attemptsSpent
        case tooOld
    }
}

/// What one attempt came to, as far as the decision needs it.
enum AttemptAnswer: Sendable, Equatable {
    /// A whole answer arrived.
    case answered(status: Int, retryAfter: Duration?)
    case failed(HTTPFailure)

    /// The four ways an attempt can end; every status and every failure has exactly one.
    enum Kind: Sendable, Equatable {
        case delivered
        /// Nothing of the request can have arrived: says nothing about the message.
        case unreached
        /// May well succeed later.
        case transient
        /// The receiver does not want this message.
        case refused
    }

    var kind: Kind {
        switch self {
        case .answered(let status, _):
            switch status {
            case 200..<300: .delivered
            case 408, 425, 429, 500..<600: .transient
            default: .refused
            }
        case .failed(let failure):
            switch failure {
            case .nameNotResolved, .connectionRefused, .connectionFailed, .tlsFailed,
                .connectTimedOut, .addressRefused, .cancelled:
                .unreached
            case .timedOut, .connectionLost, .malformedAnswer:
                .transient
            }
        }
    }

    var status: Int? {
        switch self {
        case .answered(let status, _): status
        case .failed: nil
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .answered(_, let retryAfter): retryAfter
        case .failed: nil
        }
    }
}
