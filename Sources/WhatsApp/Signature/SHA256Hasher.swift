import CCrypto

/// SHA-256 by libcrypto, with one context that is used again for each message.
///
/// Fetching the algorithm and making a context cost more than hashing a status does. Not
/// `Sendable`: one thread at a time.
public final class SHA256Hasher {
    /// A digest of 32 bytes as four words, the first byte the highest.
    struct Digest: Equatable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        /// The bytes in order.
        var bytes: [UInt8] {
            [words.0, words.1, words.2, words.3].flatMap { word in
                withUnsafeBytes(of: word.bigEndian) { Array($0) }
            }
        }

        static func == (left: Digest, right: Digest) -> Bool {
            left.words == right.words
        }
    }

    private let algorithm: OpaquePointer
    private let context: OpaquePointer

    /// Ready for the first message; traps where libcrypto has no memory.
    public init() {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil), let context = EVP_MD_CTX_new()
        else {
            fatalError("libcrypto gives no SHA-256: out of memory, or a broken installation")
        }
        self.algorithm = algorithm
        self.context = context
        check(EVP_DigestInit_ex2(context, algorithm, nil))
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// Adds bytes to the message.
    public func update(_ bytes: UnsafeRawBufferPointer) {
        check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    /// Adds a number of fixed width: what frames a field of any length.
    func update(_ number: UInt64) {
        withUnsafeBytes(of: number.bigEndian) { update($0) }
    }

    /// Adds bytes with their length in front, so that no two sequences of fields look the same.
    func updateFramed(_ bytes: UnsafeRawBufferPointer) {
        update(UInt64(bytes.count))
        update(bytes)
    }

    /// Adds a literal with its length in front.
    func updateFramed(_ text: StaticString) {
        updateFramed(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Ends the message and makes ready for the next one.
    func finish() -> Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { buffer in
            let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            check(EVP_DigestFinal_ex(context, start, nil))
        }
        check(EVP_DigestInit_ex2(context, nil, nil))
        return Digest(
            words: (
                UInt64(bigEndian: words.0), UInt64(bigEndian: words.1),
                UInt64(bigEndian: words.2), UInt64(bigEndian: words.3)
            )
        )
    }

    /// Ends the message like ``finish()``: 64 lower-case hexadecimal digits.
    public func finishHex() -> String { Hexadecimal.text(finish().bytes) }

    private func check(_ result: Int32) {
        precondition(result == 1, "libcrypto refused a step of SHA-256")
    }
}
