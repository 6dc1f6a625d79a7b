/// A secret: never printed, never logged, not even by a debugger's dump.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The secret itself.
    public let bytes: [UInt8]

    /// Takes over the bytes of a secret.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Says nothing of the secret.
    public var description: String { "<secret>" }

    /// Shows nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
