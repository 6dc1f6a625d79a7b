import Base

/// What proves to Amazon who is asking.
public struct AccessKey: Sendable, Equatable {
    /// The key's public name, `AKIA...` or `ASIA...`.
    public let id: String
    let secret: Secret
    /// Goes with a passing key, and only with such.
    let sessionToken: Secret?
    /// When it stops to work; nil for a fixed key.
    public let expiresAt: Timestamp?

    init(id: String, secret: Secret, sessionToken: Secret? = nil, expiresAt: Timestamp? = nil) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
        self.expiresAt = expiresAt
    }
}
