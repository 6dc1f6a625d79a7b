import Base

/// A bucket, and how its objects are written: what LAKE_URL and the `LAKE_S3_` keys say.
public struct S3Settings: Sendable, Equatable {
    /// How a bucket's name gets into an address.
    public enum Addressing: String, Sendable, CaseIterable {
        /// Virtual-hosted at Amazon's, path-style at a custom endpoint or where the name has dots.
        case auto
        /// `https://host/bucket/key`.
        case path
        /// `https://bucket.host/key`.
        case virtual
    }

    /// The bucket's name.
    public var bucket: String
    /// In front of every object's name; without slashes at its ends, empty for none.
    public var prefix: String
    /// `LAKE_S3_ADDRESSING`.
    public var addressing = Addressing.auto
    /// `LAKE_S3_SSE`: nil leaves it to the bucket.
    public var encryption: String?
    /// `LAKE_S3_SSE_KMS_KEY_ID`.
    public var kmsKeyID: String?
    /// `LAKE_S3_STORAGE_CLASS`: nil is STANDARD.
    public var storageClass: String?
    /// `LAKE_S3_BUCKET_OWNER`: an account's number; a bucket of anyone else is refused.
    public var bucketOwner: String?

    /// A bucket with nothing said beyond its address.
    public init(bucket: String, prefix: String) {
        self.bucket = bucket
        self.prefix = prefix
    }

    /// Reads the `LAKE_S3_` keys.
    ///
    /// - Parameters:
    ///   - bucket: of LAKE_URL.
    ///   - prefix: of LAKE_URL.
    ///   - reader: collects what is wrong.
    /// - Returns: settings that are usable after a problem too.
    public static func read(
        bucket: String,
        prefix: String,
        _ reader: inout ConfigurationReader
    ) -> S3Settings {
        var settings = S3Settings(bucket: bucket, prefix: prefix)
        settings.addressing = reader.choice(.lakeS3Addressing, as: Addressing.self)
        settings.encryption = reader.optionalString(.lakeS3SSE)
        settings.kmsKeyID = reader.optionalString(.lakeS3SSEKMSKeyID)
        settings.storageClass = reader.optionalString(.lakeS3StorageClass)
        settings.bucketOwner = reader.optionalString(.lakeS3BucketOwner)
        settings.check(&reader)
        return settings
    }

    private static let encryptions = ["AES256", "aws:kms", "aws:kms:dsse"]

    private func check(_ reader: inout ConfigurationReader) {
        if let encryption, !Self.encryptions.contains(encryption) {
            reader.problem(
                .lakeS3SSE, value: encryption,
                expected: "one of \(Self.encryptions.joined(separator: ", "))")
        }
        if let kmsKeyID, encryption == nil || encryption == "AES256" || !Self.isPlain(kmsKeyID) {
            reader.problem(
                .lakeS3SSEKMSKeyID, value: kmsKeyID,
                expected: "the name of a key, beside LAKE_S3_SSE=aws:kms")
        }
        if let storageClass, !storageClass.utf8.allSatisfy(Self.isClassByte) {
            reader.problem(
                .lakeS3StorageClass, value: storageClass,
                expected: "a storage class in capitals, STANDARD_IA say")
        }
        if let bucketOwner,
            bucketOwner.utf8.count != 12
                || !bucketOwner.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            reader.problem(
                .lakeS3BucketOwner, value: bucketOwner, expected: "an account's number, 12 digits")
        }
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isClassByte(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// The key of an object whose name is relative to the prefix.
    public func key(of name: String) -> String { prefix.isEmpty ? name : "\(prefix)/\(name)" }

    /// Where the bucket answers.
    func endpoint(custom: ServiceEndpoint?, region: String) -> (ServiceEndpoint, path: String) {
        let base = custom ?? .amazon("s3", region: region)
        let isVirtual =
            switch addressing {
            case .auto: custom == nil && !bucket.contains(".")
            case .path: false
            case .virtual: true
            }
        return isVirtual ? (base.adding(subdomain: bucket), "") : (base, "/\(bucket)")
    }
}
