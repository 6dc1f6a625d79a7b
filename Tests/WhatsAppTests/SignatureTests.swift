import Base
import TestSupport
import Testing

@testable import WhatsApp

@Suite struct SignatureTests {
    /// RFC 4231, cases 1 to 4, 6 and 7 (case 5 truncates).
    static let vectors: [(key: [UInt8], message: [UInt8], hmac: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(0x01...0x19), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than "
                    + "block-size data. The key needs to be hashed before being used by the HMAC "
                    + "algorithm.").utf8
            ),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    private static func secret(_ text: String) -> AppSecret {
        AppSecret(Secret(bytes: Array(text.utf8)))
    }

    private static func verify(
        _ body: [UInt8], _ header: String, _ verifier: inout SignatureVerifier
    ) -> Int? {
        body.withUnsafeBytes { body in
            Array(header.utf8).withUnsafeBytes { verifier.verify(body: body, header: $0) }
        }
    }

    @Test func `the vectors of RFC 4231 verify and are signed alike`() {
        for (key, message, hmac) in Self.vectors {
            let secret = AppSecret(Secret(bytes: key))
            var verifier = SignatureVerifier(secrets: [secret])
            // Twice: the context is used again.
            #expect(Self.verify(message, "sha256=" + hmac, &verifier) == 0)
            #expect(Self.verify(message, "sha256=" + hmac, &verifier) == 0)
            let signed = SignatureVerifier.sign(body: message, secret: secret)
            #expect(signed.signature256 == "sha256=" + hmac)
        }
    }

    @Test func `the older header is HMAC-SHA1, as RFC 2202 has it`() {
        let signed = SignatureVerifier.sign(
            body: Array("what do ya want for nothing?".utf8), secret: Self.secret("Jefe")
        )
        #expect(signed.signature1 == "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    }

    @Test func `the secret that matched is told, the first of equal ones`() {
        let secrets = ["new", "old", "older", "old"].map(Self.secret)
        var verifier = SignatureVerifier(secrets: secrets)
        let body = Array("{}".utf8)
        for (index, secret) in secrets.enumerated() {
            let header = SignatureVerifier.sign(body: body, secret: secret).signature256
            #expect(Self.verify(body, header, &verifier) == min(index, index == 3 ? 1 : index))
        }
        let stranger = SignatureVerifier.sign(body: body, secret: Self.secret("x")).signature256
        #expect(Self.verify(body, stranger, &verifier) == nil)
        var empty = SignatureVerifier(secrets: [])
        #expect(Self.verify(body, stranger, &empty) == nil)
    }

    @Test func `a missing or malformed header never verifies, and harms no later one`() {
        let body = Array(#"{"object":"x"}"#.utf8)
        let secret = Self.secret("s")
        let good = SignatureVerifier.sign(body: body, secret: secret).signature256
        var verifier = SignatureVerifier(secrets: [secret])
        let digits = good.dropFirst(7)
        let last = "sha256=\(digits.dropLast(2))"
        let malformed: [String] = [
            "", "sha256=", "sha256", "\(digits)", "sha1=\(digits)", "SHA256=\(digits)",
            "sha256=\(digits.uppercased())", "\(good)0", "\(good.dropLast())", " \(good)",
            "\(good) ", "\(good)\n", "\(good),\(good)", "sha256:\(digits)", "sha512=\(digits)",
            "\(last)0g", "\(last)0x", "\(last)é", "sha256=\(String(repeating: "0", count: 64))",
            String(repeating: "\0", count: 71), String(repeating: "a", count: 100_000),
        ]
        for header in malformed {
            #expect(Self.verify(body, header, &verifier) == nil, "\(header.prefix(80))")
            #expect(Self.verify(body, good, &verifier) == 0)
        }
        #expect(
            body.withUnsafeBytes {
                verifier.verify(body: $0, header: UnsafeRawBufferPointer(start: nil, count: 0))
            } == nil
        )
    }

    @Test func `any changed digit of the signature and any changed bit of the body is noticed`() {
        var body = Array(#"{"object":"whatsapp_business_account","entry":[]}"#.utf8)
        let secret = Self.secret("secret")
        let good = SignatureVerifier.sign(body: body, secret: secret).signature256
        var verifier = SignatureVerifier(secrets: [secret])
        for offset in 7..<71 {
            var header = Array(good.utf8)
            header[offset] = header[offset] == 0x30 ? 0x31 : 0x30
            #expect(Self.verify(body, String(decoding: header, as: UTF8.self), &verifier) == nil)
        }
        for bit in 0..<(body.count * 8) {
            body[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(Self.verify(body, good, &verifier) == nil)
            body[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect(Self.verify(body, good, &verifier) == 0)
    }

    @Test func `what is signed verifies, whatever the bytes`() {
        var generator = SeededGenerator.announced("signatures")
        for _ in 0..<200 {
            let count = Int.random(in: 0...300, using: &generator)
            let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let key = (0...count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let secret = AppSecret(Secret(bytes: key))
            var verifier = SignatureVerifier(secrets: [Self.secret("other"), secret])
            let header = SignatureVerifier.sign(body: body, secret: secret).signature256
            #expect(Self.verify(body, header, &verifier) == 1)
        }
    }

    @Test func `a fingerprint tells secrets apart and stays the same`() {
        #expect(Self.secret("test").fingerprint == Self.secret("test").fingerprint)
        #expect(Self.secret("test").fingerprint != Self.secret("tesT").fingerprint)
        #expect(Self.secret("test").fingerprint.count == 8)
        #expect(Self.secret("test").fingerprint == "515bf2c6")
    }
}
