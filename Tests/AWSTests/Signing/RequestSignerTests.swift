import Base
import Foundation
import Testing

@testable import AWS

/// Amazon's published cases, in Tests/Fixtures/sigv4.
@Suite struct RequestSignerTests {
    @Test(arguments: SigningCase.all)
    func `a published request is signed as published`(published: SigningCase) throws {
        let signer = RequestSigner(
            region: "us-east-1", service: "service", normalizesPath: published.normalizes_path)
        let moment = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))
        #expect(signer.canonicalRequest(published.parts) == published.canonical_request)
        #expect(
            signer.stringToSign(published.parts, at: SigningTime(moment))
                == published.string_to_sign)
        let key = AccessKey(id: published.key, secret: Secret(bytes: Array(published.secret.utf8)))
        let header = signer.authorization(published.parts, key: key, at: moment)
        #expect(header.hasSuffix(", Signature=\(published.signature)"))
        #expect(header.hasPrefix("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"))
    }

    @Test func `all published cases are there`() { #expect(SigningCase.all.count == 38) }

    @Test func `the date of an answer is understood, and nothing like it`() {
        let moment = HTTPDate.moment("Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(moment?.rfc3339 == "1994-11-06T08:49:37.000Z")
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate.moment(text) == nil, "\(text)")
        }
    }

    @Test func `percent-encoding keeps what is unreserved, and can be taken back`() {
        #expect(PercentEncoding.encode("a b/é~") == "a%20b%2F%C3%A9~")
        #expect(PercentEncoding.encode("/dt=1/x", keepsSlash: true) == "/dt%3D1/x")
        #expect(PercentEncoding.decode("a%20b%2F%c3%A9~") == "a b/é~")
        for broken in ["%", "%2", "%zz", "%C3"] { #expect(PercentEncoding.decode(broken) == nil) }
    }
}

/// One case: see Tests/Fixtures/sigv4/README.md.
struct SigningCase: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let method: String
    /// Path and query as in the request line.
    let target: String
    let headers: [[String]]
    let body: String
    let normalizes_path: Bool
    let signs_body_header: Bool
    let key: String
    let secret: String
    let token: String?
    let omits_token: Bool
    let canonical_request: String
    let string_to_sign: String
    let signature: String

    var testDescription: String { name }

    static let all: [SigningCase] = {
        let path = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/sigv4/cases.json")
        let cases = (try? Data(contentsOf: path)).flatMap {
            try? JSONDecoder().decode([SigningCase].self, from: $0)
        }
        return cases ?? []
    }()

    var parts: SignedParts {
        let halves = target.split(separator: "?", maxSplits: 1).map(String.init)
        let payloadHash = Digest.hex(Digest.sha256(Array(body.utf8)))
        var headers = headers.map { (name: $0[0], value: $0[1]) }
        headers.append(("X-Amz-Date", "20150830T123600Z"))
        if signs_body_header { headers.append(("X-Amz-Content-Sha256", payloadHash)) }
        if let token, !omits_token { headers.append(("X-Amz-Security-Token", token)) }
        return SignedParts(
            method: method, path: halves[0],
            query: halves.count > 1 ? Self.query(halves[1]) : [],
            headers: headers, payloadHash: payloadHash)
    }

    private static func query(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let plain = parts.map { PercentEncoding.decode(String($0)) ?? String($0) }
            return (plain[0], plain.count > 1 ? plain[1] : "")
        }
    }
}
