import CCrypto

/// SHA-256 of bytes that arrive in pieces, by libcrypto.
///
/// Not `Sendable`: one thread feeds it from the first piece to the last.
final class ObjectDigest {
    private let context: OpaquePointer

    init() {
        // libcrypto fails here only without memory; there is nothing sensible left to do then.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        else { preconditionFailure("libcrypto could not begin a SHA-256") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in the next piece.
    func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let result = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(result == 1, "libcrypto could not go on with a SHA-256")
    }

    /// The 32 bytes over everything taken in; the digest begins anew after it.
    func finish() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var byteCount: UInt32 = 0
        let result = EVP_DigestFinal_ex(context, &bytes, &byteCount)
        precondition(result == 1 && byteCount == 32, "libcrypto could not finish a SHA-256")
        let again = EVP_DigestInit_ex(context, EVP_sha256(), nil)
        precondition(again == 1, "libcrypto could not begin a SHA-256")
        return bytes
    }

    /// ``finish()`` as 64 lower-case hex digits.
    func finishHex() -> String { Hex.text(of: finish()) }
}

/// Bytes as lower-case hex digits.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
