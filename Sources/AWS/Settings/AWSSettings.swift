import Base
import Glibc

/// What Amazon's own variables say, read the same way by every program.
public struct AWSSettings: Sendable {
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`; nil: see ``RegionSource``.
    public var region: String?
    var profile: String?
    var accessKeyID: String?
    var secretAccessKey: Secret?
    var sessionToken: Secret?
    var credentialsFile: String
    var configFile: String
    var roleARN: String?
    var roleSessionName: String?
    var webIdentityTokenFile: String?
    var containerRelativeURI: String?
    var containerFullURI: String?
    var containerToken: Secret?
    var containerTokenFile: String?
    var isMetadataDisabled = false
    var metadataEndpoint: ServiceEndpoint?
    var endpoint: ServiceEndpoint?
    var s3Endpoint: ServiceEndpoint?
    var firehoseEndpoint: ServiceEndpoint?
    var stsEndpoint: ServiceEndpoint?

    /// Reads every `AWS_` key; all are optional.
    ///
    /// - Parameter reader: collects what is wrong.
    /// - Returns: settings that are usable after a problem too.
    public static func read(_ reader: inout ConfigurationReader) -> AWSSettings {
        AWSSettings(&reader)
    }

    private init(_ reader: inout ConfigurationReader) {
        let first = reader.optionalString(.awsRegion)
        let second = reader.optionalString(.awsDefaultRegion)
        region = first ?? second
        profile = reader.optionalString(.awsProfile)
        accessKeyID = reader.optionalString(.awsAccessKeyID)
        secretAccessKey = reader.optionalSecret(.awsSecretAccessKey)
        sessionToken = reader.optionalSecret(.awsSessionToken)
        credentialsFile =
            reader.optionalString(.awsSharedCredentialsFile) ?? Self.home + "/.aws/credentials"
        configFile = reader.optionalString(.awsConfigFile) ?? Self.home + "/.aws/config"
        roleARN = reader.optionalString(.awsRoleARN)
        roleSessionName = reader.optionalString(.awsRoleSessionName)
        webIdentityTokenFile = reader.optionalString(.awsWebIdentityTokenFile)
        containerRelativeURI = reader.optionalString(.awsContainerCredentialsRelativeURI)
        containerFullURI = reader.optionalString(.awsContainerCredentialsFullURI)
        containerToken = reader.optionalSecret(.awsContainerAuthorizationToken)
        containerTokenFile = reader.optionalString(.awsContainerAuthorizationTokenFile)
        isMetadataDisabled = reader.optionalString(.awsEC2MetadataDisabled)?.lowercased() == "true"
        metadataEndpoint = Self.endpoint(.awsEC2MetadataServiceEndpoint, &reader)
        endpoint = Self.endpoint(.awsEndpointURL, &reader)
        s3Endpoint = Self.endpoint(.awsEndpointURLS3, &reader) ?? endpoint
        firehoseEndpoint = Self.endpoint(.awsEndpointURLFirehose, &reader) ?? endpoint
        stsEndpoint = Self.endpoint(.awsEndpointURLSTS, &reader) ?? endpoint
        checkRegion(&reader)
    }

    // A region becomes part of a host's name.
    private mutating func checkRegion(_ reader: inout ConfigurationReader) {
        guard let region, !Self.isRegion(region) else { return }
        reader.problem(.awsRegion, value: region, expected: "a region, eu-central-1 say")
        self.region = nil
    }

    static func isRegion(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    private static func endpoint(
        _ key: ConfigurationKey,
        _ reader: inout ConfigurationReader
    ) -> ServiceEndpoint? {
        guard let text = reader.optionalString(key) else { return nil }
        let endpoint = ServiceEndpoint(text)
        if endpoint == nil {
            reader.problem(key, value: text, expected: ServiceEndpoint.expected)
        }
        return endpoint
    }

    /// Of the user whom this process runs as; `HOME` first, as Amazon's tools do.
    private static var home: String {
        if let home = getenv("HOME") { return String(cString: home) }
        guard let user = getpwuid(geteuid()), let home = user.pointee.pw_dir else { return "" }
        return String(cString: home)
    }

    /// Hosts that no proxy may stand in front of: this machine's own metadata, and addresses that
    /// the operator wrote down.
    ///
    /// Put them into `no_proxy` before there is a second thread.
    public var directHosts: [String] {
        ["169.254.169.254", "169.254.170.2", "169.254.170.23"]
            + [metadataEndpoint, s3Endpoint, firehoseEndpoint, stsEndpoint].compactMap {
                $0?.bareHost
            }
    }
}
