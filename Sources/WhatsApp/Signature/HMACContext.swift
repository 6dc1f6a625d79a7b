import CCrypto

/// HMAC-SHA256 under one secret, its key schedule computed once.
///
/// Nothing of ours is allocated for a message. Not `Sendable`: one thread at a time.
final class HMACContext {
    /// Bytes of an HMAC-SHA256.
    static let byteCount = 32

    private let context: OpaquePointer

    init(secret: AppSecret) {
        guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil),
            let context = EVP_MAC_CTX_new(algorithm)
        else { fatalError("libcrypto gives no HMAC: out of memory, or a broken installation") }
        // The context keeps a reference of its own.
        EVP_MAC_free(algorithm)
        self.context = context
        var digest = Array("SHA256".utf8CString)
        let result = digest.withUnsafeMutableBufferPointer { digest in
            var parameters = [
                OSSL_PARAM_construct_utf8_string("digest", digest.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_init(context, secret.bytes, secret.bytes.count, &parameters)
        }
        check(result)
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// Writes the HMAC of a message.
    ///
    /// - Precondition: `output` has room for ``byteCount`` bytes.
    func authenticate(_ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
    {
        precondition(output.count >= Self.byteCount, "an HMAC-SHA256 has 32 bytes")
        let input = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let result = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var written = 0
        // Without a key the context starts again under the one it has.
        check(EVP_MAC_init(context, nil, 0, nil))
        check(EVP_MAC_update(context, input, message.count))
        check(EVP_MAC_final(context, result, &written, output.count))
    }

    private func check(_ result: Int32) {
        precondition(result == 1, "libcrypto refused a step of HMAC-SHA256")
    }
}
