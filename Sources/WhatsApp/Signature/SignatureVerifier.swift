import CCrypto

/// Checks `X-Hub-Signature-256` over the raw bytes of a webhook, and signs what was cut.
///
/// Every secret is tried for every request, also when the header is malformed: the time taken
/// tells neither which secret matched nor how much of a forged signature was right. Not
/// `Sendable`: the contexts belong to one thread.
public struct SignatureVerifier {
    private static let prefix: StaticString = "sha256="

    private let contexts: [HMACContext]

    /// Presets a context for each secret; the order is that of the results.
    public init(secrets: [AppSecret]) {
        contexts = secrets.map(HMACContext.init(secret:))
    }

    /// Which secret made the signature in the header.
    ///
    /// The header must be `sha256=` and 64 lower-case hexadecimal digits, nothing around them:
    /// what WhatsApp sends, and the only form that the PHP receivers behind us accept.
    ///
    /// - Parameters:
    ///   - body: the bytes as they came, before any decoding.
    ///   - header: the value of the header; empty where it is missing.
    /// - Returns: the index of the secret; nil for a wrong, missing or malformed signature.
    public mutating func verify(
        body: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer
    ) -> Int? {
        var claimed: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var computed: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isWellFormed = withUnsafeMutableBytes(of: &claimed) { Self.decode(header, into: $0) }
        var match: Int?
        for (index, context) in contexts.enumerated() {
            withUnsafeMutableBytes(of: &computed) { context.authenticate(body, into: $0) }
            if CRYPTO_memcmp(&claimed, &computed, HMACContext.byteCount) == 0, match == nil {
                match = index
            }
        }
        return isWellFormed ? match : nil
    }

    /// Decodes the header.
    ///
    /// - Returns: false when the header is malformed; `output` then holds anything.
    private static func decode(
        _ header: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let prefixCount = prefix.utf8CodeUnitCount
        guard header.count == prefixCount + 2 * output.count else { return false }
        var faults: UInt8 = 0
        for offset in 0..<prefixCount {
            faults |= header[offset] ^ prefix.utf8Start[offset]
        }
        for offset in 0..<output.count {
            let high = Hexadecimal.value(ofLowerCase: header[prefixCount + 2 * offset])
            let low = Hexadecimal.value(ofLowerCase: header[prefixCount + 2 * offset + 1])
            faults |= (high | low) & 0xF0
            output[offset] = high << 4 | low & 0x0F
        }
        return faults == 0
    }

    /// The values of both signature headers for a body, as WhatsApp would send them.
    public static func sign(
        body: UnsafeRawBufferPointer, secret: AppSecret
    ) -> (signature256: String, signature1: String) {
        (
            "sha256=" + authenticate(body, secret: secret, algorithm: EVP_sha256()),
            "sha1=" + authenticate(body, secret: secret, algorithm: EVP_sha1())
        )
    }

    /// The values of both signature headers for a body, as WhatsApp would send them.
    public static func sign(
        body: [UInt8], secret: AppSecret
    ) -> (signature256: String, signature1: String) {
        body.withUnsafeBytes { sign(body: $0, secret: secret) }
    }

    private static func authenticate(
        _ body: UnsafeRawBufferPointer, secret: AppSecret, algorithm: OpaquePointer?
    ) -> String {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let bytes = body.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let key = secret.bytes
        let result = HMAC(
            algorithm, key, Int32(clamping: key.count), bytes, body.count, &output, &length
        )
        precondition(result != nil, "libcrypto refused to sign")
        return Hexadecimal.text(output.prefix(Int(length)))
    }
}
