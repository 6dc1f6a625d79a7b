import Base
import Synchronization

/// What became of a put.
public enum S3PutOutcome: String, Sendable {
    /// The bucket has it now.
    case stored
    /// The bucket had it before, with the same bytes as far as it says.
    case found
}

/// Whether the store keeps an object that is there, where `If-None-Match` asks for it.
final class ConditionState: Sendable {
    enum Knowledge { case unknown, kept, ignored, refused }

    private let state = Mutex(Knowledge.unknown)

    var knowledge: Knowledge {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

extension S3Client {
    /// Puts a file's bytes under a name that must be free, or hold the same bytes.
    ///
    /// `If-None-Match: *` keeps an object that is there; then its size and its checksum, where the
    /// store tells them, are compared. A store that refuses the header is asked for the object
    /// first. The first object that a client stores is put a second time, to learn whether the
    /// store ignores the header: the same bytes under the same name, which harms nothing.
    ///
    /// - Parameters:
    ///   - name: below the settings' prefix.
    ///   - path: the file; read while it is sent.
    ///   - byteCount: its size.
    ///   - sha256: of its bytes, 64 hex digits; the store refuses others.
    /// - Returns: whether it is new.
    /// - Throws: ``AWSError``, of the kind `exists` where other bytes lie under the name. Needs
    ///   `s3:PutObject`, and `s3:GetObject` to compare. Blocks.
    public func put(
        _ name: String,
        file path: String,
        byteCount: Int,
        sha256: String
    ) throws(AWSError) -> S3PutOutcome {
        let object = S3NewObject(name: name, path: path, byteCount: byteCount, sha256: sha256)
        guard condition.knowledge != .refused else { return try putAfterLook(object) }
        do throws(AWSError) {
            try put(object, isConditional: true)
        } catch {
            switch error.kind {
            case .exists:
                condition.knowledge = .kept
                try compare(object)
                return .found
            case .conditionUnknown:
                condition.knowledge = .refused
                onNote(.conditionRefused)
                return try putAfterLook(object)
            case .missing:
                // Only a bucket can be missing where an object is put.
                throw AWSError(
                    .refused, error.reason, hint: "make the bucket, or mend LAKE_URL",
                    status: error.status)
            case .unavailable, .refused, .staleKey, .clockSkewed, .elsewhere: throw error
            }
        }
        if condition.knowledge == .unknown { learn(object) }
        return .stored
    }

    private func putAfterLook(_ object: S3NewObject) throws(AWSError) -> S3PutOutcome {
        guard try facts(of: object.name) == nil else {
            try compare(object)
            return .found
        }
        try put(object, isConditional: false)
        return .stored
    }

    private func put(_ object: S3NewObject, isConditional: Bool) throws(AWSError) {
        var call = call("PutObject", method: "PUT", object: object.name)
        guard let digest = Digest.bytes(hex: object.sha256) else {
            preconditionFailure("a SHA-256 is 64 hex digits")
        }
        call.headers += [
            ("Content-Type", object.contentType), ("x-amz-checksum-sha256", Base64.text(digest)),
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ]
        if isConditional { call.headers.append(("If-None-Match", "*")) }
        call.headers += encryptionHeaders
        if let storageClass = settings.storageClass {
            call.headers.append(("x-amz-storage-class", storageClass))
        }
        call.body = .file(path: object.path, byteCount: object.byteCount)
        call.payloadHash = object.sha256
        _ = try send(call)
    }

    private var encryptionHeaders: [(name: String, value: String)] {
        guard let encryption = settings.encryption else { return [] }
        let kind = [(name: "x-amz-server-side-encryption", value: encryption)]
        guard let keyID = settings.kmsKeyID else { return kind }
        return kind + [("x-amz-server-side-encryption-aws-kms-key-id", keyID)]
    }

    /// Whether the object that is there is ours, as far as the store tells.
    private func compare(_ object: S3NewObject) throws(AWSError) {
        let facts: S3Facts?
        do throws(AWSError) {
            facts = try self.facts(of: object.name)
        } catch {
            // Who may put and not read has the name alone to go by, which follows from the bytes.
            guard error.status != 403 else { return }
            throw error
        }
        guard let facts else {
            throw AWSError(.unavailable, "\(object.name) was there, and is gone")
        }
        let differs = facts.sha256.map { $0 != object.sha256 } ?? false
        guard facts.byteCount != object.byteCount || differs else { return }
        throw AWSError(
            .exists,
            "\(settings.bucket)/\(settings.key(of: object.name)) exists with other bytes than the "
                + "batch of that name",
            hint: "it is never replaced: move it away and the batch is put in its place")
    }

    /// What the store does with a second put, learnt once; whatever happens, the first one holds.
    private func learn(_ object: S3NewObject) {
        do throws(AWSError) {
            try put(object, isConditional: true)
            condition.knowledge = .ignored
            onNote(.conditionIgnored)
        } catch {
            if error.kind == .exists { condition.knowledge = .kept }
        }
    }
}

/// An object on its way.
struct S3NewObject {
    let name: String
    let path: String
    let byteCount: Int
    let sha256: String

    // No Content-Encoding: whoever gets the object shall get the file.
    var contentType: String {
        name.hasSuffix(".gz") ? "application/gzip" : "application/x-ndjson"
    }
}
