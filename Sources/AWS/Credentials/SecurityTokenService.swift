import Base
import Glibc

/// The Security Token Service: roles become passing keys.
///
/// Source: AWS Security Token Service API Reference, AssumeRole and AssumeRoleWithWebIdentity.
struct SecurityTokenService: Sendable {
    let settings: AWSSettings
    let transport: any WebTransport

    private static let tokenByteCountMax = 65_536

    /// The region is the operator's, or the oldest one, which knows every role.
    private var region: String { settings.region ?? "us-east-1" }

    private var endpoint: ServiceEndpoint {
        settings.stsEndpoint ?? .amazon("sts", region: region)
    }

    /// Takes a role with a web identity's token, read anew each time: it is renewed from outside.
    func assumeRole(
        _ role: String,
        session: String,
        tokenFile: String
    ) throws(CredentialFault) -> AccessKey {
        let token: String
        do throws(SystemError) {
            let bytes = try SmallFile.read(tokenFile, byteCountMax: Self.tokenByteCountMax)
            token = String(decoding: bytes, as: UTF8.self).trimmingLineEnds
        } catch {
            throw CredentialFault(reason: "the web identity's token: \(error)")
        }
        let form = [
            (name: "Action", value: "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"),
            ("RoleArn", role), ("RoleSessionName", session), ("WebIdentityToken", token),
        ]
        return try key(in: send(form, key: nil, now: .now()))
    }

    /// Takes a role with another key.
    func assumeRole(
        _ role: String,
        session: String,
        externalID: String?,
        key: AccessKey,
        now: Timestamp
    ) throws(CredentialFault) -> AccessKey {
        var form = [
            (name: "Action", value: "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", session),
        ]
        if let externalID { form.append(("ExternalId", externalID)) }
        return try self.key(in: send(form, key: key, now: now))
    }

    private func send(
        _ form: [(name: String, value: String)],
        key: AccessKey?,
        now: Timestamp
    ) throws(CredentialFault) -> WebAnswer {
        let body = Array(RequestSigner.canonicalQuery(form).utf8)
        var headers = [
            (name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8")
        ]
        if let key {
            headers += SignedHeaders.make(
                SignedParts(
                    method: "POST", path: endpoint.path + "/", headers: headers,
                    payloadHash: Digest.hex(Digest.sha256(body))),
                host: endpoint.host,
                signer: RequestSigner(region: region, service: "sts"), key: key, at: now)
        }
        let request = WebRequest(
            method: "POST", url: "\(endpoint)/", headers: headers, body: .bytes(body),
            limits: WebLimits(connectDuration: .seconds(5), silenceDuration: .seconds(20)))
        let answer: WebAnswer
        do throws(WebFailure) {
            answer = try transport.send(request)
        } catch {
            throw CredentialFault(reason: "\(endpoint): \(error)", isPassing: true)
        }
        guard answer.status == 200 else {
            throw .answered(answer, by: "the Security Token Service")
        }
        return answer
    }

    private func key(in answer: WebAnswer) throws(CredentialFault) -> AccessKey {
        let result = XMLScanner.root(of: answer.body)?.children.first {
            $0.name.hasSuffix("Result")
        }
        guard let found = result?.all("Credentials").first, let id = found.text("AccessKeyId"),
            let secret = found.text("SecretAccessKey"), let token = found.text("SessionToken"),
            let expiry = found.text("Expiration").flatMap(Timestamp.init(rfc3339:))
        else {
            throw CredentialFault(
                reason: "the Security Token Service gave an answer without credentials",
                isPassing: true)
        }
        return AccessKey(
            id: id, secret: Secret(bytes: Array(secret.utf8)),
            sessionToken: Secret(bytes: Array(token.utf8)), expiresAt: expiry)
    }
}

extension String {
    /// Without line ends and blanks at the end: files are often written with one.
    var trimmingLineEnds: String {
        var text = Substring(self)
        while let last = text.last, last.isNewline || last == " " { text = text.dropLast() }
        return String(text)
    }
}

/// A role taken with a token from a file: `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`.
struct WebIdentityCredentials: CredentialProvider {
    let settings: AWSSettings
    let security: SecurityTokenService
    let name = "web identity"

    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding {
        guard let tokenFile = settings.webIdentityTokenFile else {
            return .notConfigured("AWS_WEB_IDENTITY_TOKEN_FILE is not set")
        }
        guard let role = settings.roleARN else {
            throw CredentialFault(
                reason: "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN")
        }
        let session = settings.roleSessionName ?? "whatsapp-webhook-pipeline"
        return .key(try security.assumeRole(role, session: session, tokenFile: tokenFile))
    }
}
