import Base

/// The app secret of a Meta app: whoever has it can sign webhooks.
public struct AppSecret: Sendable {
    let bytes: [UInt8]

    /// Eight hexadecimal digits that tell secrets apart without revealing them.
    ///
    /// The start of SHA-256 over a fixed prefix and the secret, so it is the same on every host.
    public let fingerprint: String

    /// Takes over a secret.
    ///
    /// - Precondition: not empty; an empty secret would let anyone sign.
    public init(_ secret: Secret) {
        precondition(!secret.bytes.isEmpty, "an app secret is not empty")
        bytes = secret.bytes
        let hasher = SHA256Hasher()
        Array("wa-secret-fingerprint\0".utf8).withUnsafeBytes { hasher.update($0) }
        secret.bytes.withUnsafeBytes { hasher.update($0) }
        fingerprint = Hexadecimal.text(hasher.finish().bytes.prefix(4))
    }
}
