import Base
import Foundation

/// What container and instance endpoints answer with.
struct CredentialDocument: Decodable {
    let Code: String?
    let Message: String?
    let AccessKeyId: String?
    let SecretAccessKey: String?
    let Token: String?
    let Expiration: String?

    /// - Throws: ``CredentialFault`` where a part is missing.
    static func key(in answer: WebAnswer, of name: String) throws(CredentialFault) -> AccessKey {
        guard
            let document = try? JSONDecoder().decode(
                CredentialDocument.self, from: Data(answer.body))
        else {
            throw CredentialFault(reason: "\(name) gave no JSON", isPassing: true)
        }
        if let code = document.Code, code != "Success" {
            throw CredentialFault(
                reason: "\(name) gave \(code): \(document.Message ?? "")", isPassing: true)
        }
        guard let id = document.AccessKeyId, let secret = document.SecretAccessKey else {
            throw CredentialFault(reason: "\(name) gave no key", isPassing: true)
        }
        return AccessKey(
            id: id, secret: Secret(bytes: Array(secret.utf8)),
            sessionToken: document.Token.map { Secret(bytes: Array($0.utf8)) },
            expiresAt: document.Expiration.flatMap(Timestamp.init(rfc3339:)))
    }
}

/// The endpoint that ECS, EKS Pod Identity and Greengrass give a container.
///
/// Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
struct ContainerCredentials: CredentialProvider {
    let settings: AWSSettings
    let transport: any WebTransport
    let name = "container"

    private static let tokenByteCountMax = 65_536
    /// Hosts that may be asked in the clear: this machine's own.
    private static let plainHosts = [
        "localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23",
    ]

    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding {
        guard let url = try address() else {
            return .notConfigured("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set")
        }
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let token = try token() { headers.append(("Authorization", token)) }
        let request = WebRequest(
            method: "GET", url: url, headers: headers,
            limits: WebLimits(connectDuration: .seconds(2), silenceDuration: .seconds(5)))
        let answer: WebAnswer
        do throws(WebFailure) {
            answer = try transport.send(request)
        } catch {
            throw CredentialFault(reason: "the container's endpoint: \(error)", isPassing: true)
        }
        guard answer.status == 200 else { throw .answered(answer, by: "the container's endpoint") }
        return .key(try CredentialDocument.key(in: answer, of: "the container's endpoint"))
    }

    private func address() throws(CredentialFault) -> String? {
        if let path = settings.containerRelativeURI {
            guard path.hasPrefix("/"), URL(string: "http://169.254.170.2" + path) != nil else {
                throw CredentialFault(
                    reason: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path")
            }
            return "http://169.254.170.2" + path
        }
        guard let text = settings.containerFullURI else { return nil }
        guard let url = URL(string: text), let host = url.host, let scheme = url.scheme,
            scheme == "https" || scheme == "http" && Self.plainHosts.contains(host)
        else {
            throw CredentialFault(
                reason: "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine")
        }
        return text
    }

    private func token() throws(CredentialFault) -> String? {
        let token: String
        if let path = settings.containerTokenFile {
            do throws(SystemError) {
                let bytes = try SmallFile.read(path, byteCountMax: Self.tokenByteCountMax)
                token = String(decoding: bytes, as: UTF8.self).trimmingLineEnds
            } catch {
                throw CredentialFault(reason: "the container's token: \(error)")
            }
        } else if let secret = settings.containerToken {
            token = String(decoding: secret.bytes, as: UTF8.self)
        } else {
            return nil
        }
        guard !token.contains(where: \.isNewline) else {
            throw CredentialFault(reason: "the container's token has a line break in it")
        }
        return token
    }
}
