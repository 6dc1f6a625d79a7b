import Base
import Synchronization

/// The key for the next request: from the first place that has one, and fresh.
///
/// The order is Amazon's: environment, shared files with `AWS_PROFILE`, web identity, container,
/// instance metadata. A place that is meant and broken ends the search, since going on would use a
/// key that nobody meant. A passing key is renewed five minutes before it expires; where that
/// fails, the old one serves as long as it is valid.
final class CredentialChain: Sendable {
    /// How long before its end a key is renewed, and how soon a renewal that failed is tried again.
    static let renewalLead = Duration.seconds(300)
    static let renewalInterval = Duration.seconds(60)

    private struct State {
        var key: AccessKey?
        var renewsAt: Timestamp?
    }

    private let providers: [any CredentialProvider]
    private let state = Mutex(State())

    init(_ providers: [any CredentialProvider]) { self.providers = providers }

    /// Amazon's order, over one transport.
    convenience init(_ settings: AWSSettings, transport: any WebTransport) {
        let security = SecurityTokenService(settings: settings, transport: transport)
        self.init([
            EnvironmentCredentials(settings: settings),
            SharedFileCredentials(settings: settings, security: security),
            WebIdentityCredentials(settings: settings, security: security),
            ContainerCredentials(settings: settings, transport: transport),
            InstanceMetadata(settings: settings, transport: transport),
        ])
    }

    /// The key that holds now; blocks while one is fetched.
    ///
    /// - Throws: ``AWSError``, whose reason names every place that was tried.
    func key(now: Timestamp) throws(AWSError) -> AccessKey {
        let held = state.withLock { $0 }
        if let key = held.key {
            guard let renewsAt = held.renewsAt, renewsAt <= now else { return key }
        }
        do throws(AWSError) {
            let key = try search(now: now)
            let renewsAt = key.expiresAt.map { $0 - Self.renewalLead }
            // One that is about to expire when it comes must not be fetched for each request.
            let notBefore = now + Self.renewalInterval
            state.withLock { state in
                state.key = key
                state.renewsAt = renewsAt.map { max($0, notBefore) }
            }
            return key
        } catch {
            guard let key = held.key, let expiresAt = key.expiresAt, expiresAt > now else {
                throw error
            }
            state.withLock { $0.renewsAt = now + Self.renewalInterval }
            return key
        }
    }

    /// Forgets the key: a service has refused it.
    func forget() {
        state.withLock { state in
            state.key = nil
            state.renewsAt = nil
        }
    }

    private func search(now: Timestamp) throws(AWSError) -> AccessKey {
        var tried: [String] = []
        for provider in providers {
            do throws(CredentialFault) {
                switch try provider.load(now: now) {
                case .key(let key): return key
                case .notConfigured(let reason): tried.append("\(provider.name): \(reason)")
                }
            } catch {
                throw AWSError(
                    error.isPassing ? .unavailable : .refused,
                    "no credentials: \(error.reason)",
                    hint: (tried + ["\(provider.name): see above"]).joined(separator: "; "))
            }
        }
        throw AWSError(
            .refused, "no credentials, tried " + tried.joined(separator: "; "),
            hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the instance a role")
    }
}
