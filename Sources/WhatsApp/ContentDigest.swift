/// SHA-256 of bytes that arrive in pieces: of a file, to compare it with what the books say.
///
/// Not `Sendable`: one thread feeds it from the first piece to the last.
public final class ContentDigest {
    private let hasher = SHA256Hasher()

    /// Begins with nothing taken in.
    public init() {}

    /// Takes in the next piece.
    public func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bytes) }

    /// 64 lower-case hex digits over everything taken in; begins anew after it.
    public func finish() -> String { Hexadecimal.text(hasher.finish().bytes) }
}
