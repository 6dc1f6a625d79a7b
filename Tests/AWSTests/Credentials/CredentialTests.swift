import Base
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import AWS

/// Answers as it is told, by path, and remembers what it was asked.
final class ScriptedTransport: WebTransport {
    private let answers: Mutex<[String: [WebAnswer]]>
    private let asked = Mutex<[WebRequest]>([])

    /// Of each path the answers in order; the last one goes on.
    init(_ answers: [String: [WebAnswer]]) { self.answers = Mutex(answers) }

    var requests: [WebRequest] { asked.withLock { $0 } }

    func send(_ request: WebRequest) throws(WebFailure) -> WebAnswer {
        asked.withLock { $0.append(request) }
        let path = URL(string: request.url)?.path ?? ""
        let answer = answers.withLock { answers -> WebAnswer? in
            guard let first = answers[path]?.first else { return nil }
            if (answers[path]?.count ?? 0) > 1 { answers[path]?.removeFirst() }
            return first
        }
        guard let answer else { throw .connectionRefused }
        return answer
    }
}

@Suite struct CredentialTests {
    static let now = Timestamp(rawValue: 1_795_521_600_000)
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Settings that look nowhere but in this test's files.
    func settings(_ environment: [String: String] = [:]) throws -> AWSSettings {
        var all = [
            "AWS_CONFIG_FILE": directory.file("config"),
            "AWS_SHARED_CREDENTIALS_FILE": directory.file("credentials"),
        ]
        all.merge(environment) { $1 }
        return try awsSettings(all)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: directory.file(name), atomically: false, encoding: .utf8)
    }

    static func document(_ id: String, expires: String = "2026-11-24T18:00:00Z") -> WebAnswer {
        let text = """
            {"Code":"Success","AccessKeyId":"\(id)","SecretAccessKey":"s","Token":"t",\
            "Expiration":"\(expires)"}
            """
        return WebAnswer(status: 200, body: Array(text.utf8))
    }

    static func instance(_ answers: [WebAnswer]) -> ScriptedTransport {
        let role = "/latest/meta-data/iam/security-credentials"
        return ScriptedTransport([
            "/latest/api/token": [WebAnswer(status: 200, body: Array("token".utf8))],
            role: [WebAnswer(status: 200, body: Array("lake-role".utf8))],
            role + "/": [WebAnswer(status: 200, body: Array("lake-role".utf8))],
            role + "/lake-role": answers,
            "/latest/meta-data/placement/region": [
                WebAnswer(status: 200, body: Array("eu-west-3".utf8))
            ],
        ])
    }

    @Test func `the environment comes first, then the profile, then the rest`() throws {
        try write("[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n", to: "credentials")
        let transport = Self.instance([Self.document("ROLE")])
        let fixed = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]
        let first = CredentialChain(try settings(fixed), transport: transport)
        #expect(try first.key(now: Self.now).id == "ENV")
        let second = CredentialChain(try settings(), transport: transport)
        #expect(try second.key(now: Self.now).id == "FILE")
        try FileManager.default.removeItem(atPath: directory.file("credentials"))
        let last = CredentialChain(try settings(), transport: transport)
        let key = try last.key(now: Self.now)
        #expect(key.id == "ROLE")
        #expect(key.sessionToken != nil)
    }

    @Test func `a refusal says every place that was tried`() throws {
        let chain = CredentialChain(try settings(), transport: ScriptedTransport([:]))
        let error = #expect(throws: AWSError.self) { try chain.key(now: Self.now) }
        #expect(error?.kind == .refused)
        for place in [
            "environment", "shared files", "web identity", "container", "instance metadata",
        ] {
            #expect(error?.reason.contains(place) == true, "\(place)")
        }
    }

    @Test func `half a key, or a profile that is not there, is said and not passed over`() throws {
        let transport = Self.instance([Self.document("ROLE")])
        for environment in [
            ["AWS_ACCESS_KEY_ID": "x"], ["AWS_SECRET_ACCESS_KEY": "x"], ["AWS_PROFILE": "missing"],
            ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"],
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere.example/x"],
        ] {
            let chain = CredentialChain(try settings(environment), transport: transport)
            let error = #expect(throws: AWSError.self) { try chain.key(now: Self.now) }
            #expect(error?.kind == .refused, "\(environment)")
        }
        try write("[default]\ncredential_process = /bin/x\n", to: "config")
        let chain = CredentialChain(try settings(), transport: transport)
        let error = #expect(throws: AWSError.self) { try chain.key(now: Self.now) }
        #expect(error?.reason.contains("credential_process") == true)
    }

    @Test func `a passing key is renewed five minutes before its end, and not earlier`() throws {
        let transport = Self.instance([
            Self.document("ONE", expires: "2026-11-24T13:00:00Z"),
            Self.document("TWO", expires: "2026-11-24T19:00:00Z"),
        ])
        let chain = CredentialChain(try settings(), transport: transport)
        #expect(try chain.key(now: Self.now).id == "ONE")
        #expect(try chain.key(now: Self.now + .seconds(54 * 60)).id == "ONE")
        #expect(try chain.key(now: Self.now + .seconds(55 * 60)).id == "TWO")
    }

    @Test func `a key that cannot be renewed serves until its end`() throws {
        let transport = Self.instance([
            Self.document("ONE", expires: "2026-11-24T13:00:00Z"),
            WebAnswer(status: 500),
        ])
        let chain = CredentialChain(try settings(), transport: transport)
        #expect(try chain.key(now: Self.now).id == "ONE")
        let asked = transport.requests.count
        #expect(try chain.key(now: Self.now + .seconds(3_400)).id == "ONE")
        let again = transport.requests.count
        #expect(again > asked)
        // Not for each request: a minute must pass.
        #expect(try chain.key(now: Self.now + .seconds(3_401)).id == "ONE")
        #expect(transport.requests.count == again)
        let error = #expect(throws: AWSError.self) {
            try chain.key(now: Self.now + .seconds(3_600))
        }
        #expect(error?.kind == .unavailable)
    }

    @Test func `instance metadata is asked with a token, and left alone where that is wanted`()
        throws
    {
        let transport = Self.instance([Self.document("ROLE")])
        _ = try CredentialChain(try settings(), transport: transport).key(now: Self.now)
        let methods = transport.requests.map(\.method)
        #expect(methods == ["PUT", "GET", "GET"])
        for request in transport.requests.dropFirst() {
            let isTold = request.headers.contains {
                $0.name == "X-aws-ec2-metadata-token" && $0.value == "token"
            }
            #expect(isTold)
        }
        let alone = Self.instance([Self.document("ROLE")])
        let chain = CredentialChain(
            try settings(["AWS_EC2_METADATA_DISABLED": "true"]), transport: alone)
        #expect(throws: AWSError.self) { try chain.key(now: Self.now) }
        #expect(alone.requests.isEmpty)
    }

    @Test func `a container's endpoint is asked with the token of its file, read each time`()
        throws
    {
        let transport = ScriptedTransport([
            "/v1/credentials": [Self.document("POD", expires: "2026-11-24T12:00:00Z")]
        ])
        try write("first\n", to: "token")
        let chain = CredentialChain(
            try settings([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": directory.file("token"),
            ]), transport: transport)
        #expect(try chain.key(now: Self.now).id == "POD")
        try write("second\n", to: "token")
        #expect(try chain.key(now: Self.now + .seconds(120)).id == "POD")
        let tokens = transport.requests.compactMap { request in
            request.headers.first { $0.name == "Authorization" }?.value
        }
        #expect(tokens == ["first", "second"])
    }

    @Test func `roles are taken from the Security Token Service, signed where they must be`()
        throws
    {
        let peer = try AWSPeer.shared()
        let key = peer.key(.writer)
        let role = "arn:aws:iam::123456789012:role/lake"
        try write(
            """
            [profile lake]
            role_arn = \(role)
            source_profile = base
            region = eu-west-2
            """, to: "config")
        try write(
            """
            [base]
            aws_access_key_id = \(key.id) # a comment
            aws_secret_access_key=\(key.secret)

            """,
            to: "credentials")
        let endpoint = "http://127.0.0.1:\(peer.port)"
        let settings = try settings(["AWS_PROFILE": "lake", "AWS_ENDPOINT_URL_STS": endpoint])
        let transport = URLSessionTransport()
        let taken = try CredentialChain(settings, transport: transport).key(now: .now())
        #expect(taken.id.hasPrefix("ASIA"))
        #expect(taken.sessionToken != nil)
        #expect(try #require(taken.expiresAt) > .now())
        #expect(RegionSource(settings: settings, transport: transport).region() == "eu-west-2")
    }

    @Test func `the region comes from the first place that names one`() throws {
        let transport = Self.instance([])
        let region = { (environment: [String: String]) throws -> String? in
            RegionSource(settings: try self.settings(environment), transport: transport).region()
        }
        #expect(try region(["AWS_REGION": "a-1", "AWS_DEFAULT_REGION": "b-1"]) == "a-1")
        #expect(try region(["AWS_DEFAULT_REGION": "b-1"]) == "b-1")
        #expect(try region([:]) == "eu-west-3")
        try write("[default]\nregion=c-1\n", to: "config")
        #expect(try region([:]) == "c-1")
        #expect(try region(["AWS_EC2_METADATA_DISABLED": "true"]) == "c-1")
    }
}
