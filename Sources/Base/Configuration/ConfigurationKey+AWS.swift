/// Amazon's own names, with Amazon's meaning; its tools set them and other tools read them.
extension ConfigurationKey {
    /// The region of bucket or stream.
    public static let awsRegion = ConfigurationKey(
        "AWS_REGION", .optional,
        help: "the region of bucket or stream")
    /// The region, second choice.
    public static let awsDefaultRegion = ConfigurationKey(
        "AWS_DEFAULT_REGION", .optional,
        help: "the region, where AWS_REGION is not given")
    /// The profile in the shared files.
    public static let awsProfile = ConfigurationKey(
        "AWS_PROFILE", .optional,
        help: "the profile in the shared files; default where not given")
    /// The name of a fixed key.
    public static let awsAccessKeyID = ConfigurationKey(
        "AWS_ACCESS_KEY_ID", .optional,
        help: "the name of a fixed key")
    /// The fixed key itself.
    public static let awsSecretAccessKey = ConfigurationKey(
        "AWS_SECRET_ACCESS_KEY", .optional, isSecret: true,
        help: "the fixed key itself")
    /// The token that belongs to a passing key.
    public static let awsSessionToken = ConfigurationKey(
        "AWS_SESSION_TOKEN", .optional, isSecret: true,
        help: "the token that belongs to a passing key")
    /// The shared credentials file.
    public static let awsSharedCredentialsFile = ConfigurationKey(
        "AWS_SHARED_CREDENTIALS_FILE", .optional,
        help: "the shared credentials; ~/.aws/credentials where not given")
    /// The shared settings file.
    public static let awsConfigFile = ConfigurationKey(
        "AWS_CONFIG_FILE", .optional,
        help: "the shared settings; ~/.aws/config where not given")
    /// The role to take with a web identity.
    public static let awsRoleARN = ConfigurationKey(
        "AWS_ROLE_ARN", .optional,
        help: "the role to take with a web identity")
    /// The name of a role's session.
    public static let awsRoleSessionName = ConfigurationKey(
        "AWS_ROLE_SESSION_NAME", .optional,
        help: "the name of that session")
    /// The file with the web identity's token.
    public static let awsWebIdentityTokenFile = ConfigurationKey(
        "AWS_WEB_IDENTITY_TOKEN_FILE", .optional,
        help: "the file with the web identity's token")
    /// The container endpoint's path.
    public static let awsContainerCredentialsRelativeURI = ConfigurationKey(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", .optional,
        help: "the container endpoint's path, as ECS sets it")
    /// The container endpoint's address.
    public static let awsContainerCredentialsFullURI = ConfigurationKey(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", .optional,
        help: "the container endpoint's address, as EKS sets it")
    /// The token for the container endpoint.
    public static let awsContainerAuthorizationToken = ConfigurationKey(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", .optional, isSecret: true,
        help: "the token for the container endpoint")
    /// The file with the container endpoint's token.
    public static let awsContainerAuthorizationTokenFile = ConfigurationKey(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", .optional,
        help: "the file with that token, read again before each use")
    /// Whether instance metadata is left alone.
    public static let awsEC2MetadataDisabled = ConfigurationKey(
        "AWS_EC2_METADATA_DISABLED", .optional,
        help: "true: do not ask the instance's metadata for credentials")
    /// Another address for the instance's metadata.
    public static let awsEC2MetadataServiceEndpoint = ConfigurationKey(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", .optional,
        help: "another address for the instance's metadata")
    /// Another address for every service.
    public static let awsEndpointURL = ConfigurationKey(
        "AWS_ENDPOINT_URL", .optional,
        help: "another address for every service")
    /// The address of an S3-compatible store.
    public static let awsEndpointURLS3 = ConfigurationKey(
        "AWS_ENDPOINT_URL_S3", .optional,
        help: "the address of an S3-compatible store")
    /// Another address for Firehose.
    public static let awsEndpointURLFirehose = ConfigurationKey(
        "AWS_ENDPOINT_URL_FIREHOSE", .optional,
        help: "another address for Firehose")
    /// Another address for the Security Token Service.
    public static let awsEndpointURLSTS = ConfigurationKey(
        "AWS_ENDPOINT_URL_STS", .optional,
        help: "another address for the Security Token Service")

    static let awsKeys = [
        awsRegion,
        awsDefaultRegion,
        awsProfile,
        awsAccessKeyID,
        awsSecretAccessKey,
        awsSessionToken,
        awsSharedCredentialsFile,
        awsConfigFile,
        awsRoleARN,
        awsRoleSessionName,
        awsWebIdentityTokenFile,
        awsContainerCredentialsRelativeURI,
        awsContainerCredentialsFullURI,
        awsContainerAuthorizationToken,
        awsContainerAuthorizationTokenFile,
        awsEC2MetadataDisabled,
        awsEC2MetadataServiceEndpoint,
        awsEndpointURL,
        awsEndpointURLS3,
        awsEndpointURLFirehose,
        awsEndpointURLSTS,
    ]
}
