/// Bounds of one request; each is checked before memory is taken for what it bounds.
struct HTTPLimits: Sendable, Equatable {
    /// Empty lines ignored before a request line: RFC 9112 asks for one, some clients send two.
    var leadingLineCountMax = 2
    /// A longer method is none that any server implements.
    var methodBytesMax = 32
    /// The request target; longer ones are answered 414.
    var targetBytesMax = 8_192
    /// From the first byte of a request to the empty line that ends its head, that line included.
    var headBytesMax = 16_384
    /// Field lines of a head.
    var fieldCountMax = 100
    /// The decoded body.
    var bodyBytesMax = 4 * 1_024 * 1_024
    /// Extensions of one chunk.
    var chunkExtensionBytesMax = 256
    /// All trailer lines together.
    var trailerBytesMax = 4_096
    /// Framing that a chunked body may spend whatever its size; beyond it, twice the body.
    var framingBytesMin = 16_384
}
