import Base
import Testing

@testable import WhatsApp

@Suite struct HandshakeTests {
    private static let token = Secret(bytes: Array("to+ken/&=é".utf8))
    private static let encoded = "to%2Bken%2f%26%3d%C3%A9"

    private static func answer(_ query: String) -> String? {
        switch VerificationHandshake.answer(query: query, verifyToken: token) {
        case .challenge(let bytes): String(decoding: bytes, as: UTF8.self)
        case .forbidden: nil
        }
    }

    static let granted: [(String, String)] = [
        ("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=T", "1158201444"),
        ("hub.verify_token=T&hub.challenge=a+b%20c%2B&hub.mode=subscribe", "a b c+"),
        ("hub%2Emode=%73ubscribe&hub.challenge=%00%ff&hub.verify_token=T", "\0\u{FFFD}"),
        ("x=1&x=2&&y&hub.mode=subscribe&hub.challenge=a=b&hub.verify_token=T&z=%zz", "a=b"),
        ("%zz=1&hub.mode=subscribe&hub.challenge=c&hub.verify_token=T", "c"),
    ]

    @Test(arguments: granted)
    func `the right token gets the challenge back, decoded`(query: String, challenge: String) {
        let query = query.replacing("=T", with: "=" + Self.encoded)
        #expect(Self.answer(query) == challenge)
    }

    static let refused = [
        "", "&", "=", "hub.mode=subscribe", "hub.mode=subscribe&hub.challenge=c",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=Tx",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=xT",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=to+ken%2f%26%3d%C3%A9",
        "hub.mode=unsubscribe&hub.challenge=c&hub.verify_token=T",
        "hub.mode=Subscribe&hub.challenge=c&hub.verify_token=T",
        "hub.challenge=c&hub.verify_token=T",
        "hub.mode=subscribe&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=T&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=c&hub.challenge=d&hub.verify_token=T",
        "hub.mode=subscribe&hub%2emode=subscribe&hub.challenge=c&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=%zz&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=%4&hub.verify_token=T",
        "hub.mode=subscribe&hub.challenge=c&hub.verify_token=T%",
        "HUB.MODE=subscribe&hub.challenge=c&hub.verify_token=T",
        "hub_mode=subscribe&hub_challenge=c&hub_verify_token=T",
        "hub.mode=subscribe;hub.challenge=c;hub.verify_token=T",
    ]

    @Test(arguments: refused)
    func `anything else is forbidden`(query: String) {
        #expect(Self.answer(query.replacing("=T", with: "=" + Self.encoded)) == nil)
    }

    @Test func `a challenge of 1,024 bytes is answered, a longer one is not`() {
        let query = "hub.mode=subscribe&hub.verify_token=\(Self.encoded)&hub.challenge="
        let longest = String(repeating: "c", count: VerificationHandshake.challengeByteCountMax)
        #expect(Self.answer(query + longest) == longest)
        #expect(Self.answer(query + longest + "c") == nil)
    }

    @Test func `an empty token of ours grants nothing`() {
        let answer = VerificationHandshake.answer(
            query: "hub.mode=subscribe&hub.challenge=c&hub.verify_token=",
            verifyToken: Secret(bytes: [])
        )
        #expect(answer == .forbidden)
    }
}
