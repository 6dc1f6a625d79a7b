import Base

/// The metadata of an EC2 instance, version 2 with its token: the role's key, and the region.
///
/// Source: Amazon EC2 User Guide, "Use the Instance Metadata Service". Version 1, without a token,
/// is not asked: it hands keys to whoever gets a program to fetch an address.
struct InstanceMetadata: CredentialProvider {
    let settings: AWSSettings
    let transport: any WebTransport
    let name = "instance metadata"

    private static let rolePath = "/latest/meta-data/iam/security-credentials/"

    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding {
        guard !settings.isMetadataDisabled else {
            return .notConfigured("AWS_EC2_METADATA_DISABLED is true")
        }
        let granted: WebAnswer
        do throws(WebFailure) {
            granted = try askForToken()
        } catch {
            return .notConfigured("\(endpoint): \(error)")
        }
        guard granted.status == 200 else { throw .answered(granted, by: "instance metadata") }
        let token = granted.text
        let role = try get(Self.rolePath, token: token)
        if role.status == 404 { return .notConfigured("the instance has no role") }
        guard role.status == 200,
            let roleName = role.text.split(whereSeparator: \.isNewline).first
        else { throw .answered(role, by: "instance metadata") }
        let path = Self.rolePath + PercentEncoding.encode(String(roleName))
        let answer = try get(path, token: token)
        guard answer.status == 200 else { throw .answered(answer, by: "instance metadata") }
        return .key(try CredentialDocument.key(in: answer, of: "instance metadata"))
    }

    /// Where the instance runs; nil where there is no instance.
    func region() -> String? {
        guard !settings.isMetadataDisabled,
            let token = try? askForToken(), token.status == 200,
            let answer = try? get("/latest/meta-data/placement/region", token: token.text),
            answer.status == 200
        else { return nil }
        let region = answer.text.trimmingLineEnds
        return AWSSettings.isRegion(region) ? region : nil
    }

    private var endpoint: String {
        settings.metadataEndpoint?.description ?? "http://169.254.169.254"
    }

    /// Elsewhere nobody answers at that address: two seconds are the whole price of looking.
    private static let limits = WebLimits(
        connectDuration: .seconds(2), silenceDuration: .seconds(2), answerByteCountMax: 65_536)

    private func askForToken() throws(WebFailure) -> WebAnswer {
        try transport.send(
            WebRequest(
                method: "PUT", url: endpoint + "/latest/api/token",
                headers: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
                limits: Self.limits))
    }

    private func get(_ path: String, token: String) throws(CredentialFault) -> WebAnswer {
        do throws(WebFailure) {
            return try transport.send(
                WebRequest(
                    method: "GET", url: endpoint + path,
                    headers: [("X-aws-ec2-metadata-token", token.trimmingLineEnds)],
                    limits: Self.limits))
        } catch {
            throw CredentialFault(reason: "instance metadata: \(error)", isPassing: true)
        }
    }
}
