import AWS
import Base

/// A lake in a bucket: `LAKE_URL=s3://bucket/prefix`.
///
/// An object appears whole or not at all, which S3 promises for every put, and under a name that
/// was free: `If-None-Match`. What lies under the name already is compared as far as the store
/// tells. The spool file is looked at before it is sent, and the store checks what arrived by the
/// same SHA-256.
final class S3Lake: ObjectLake {
    private let client: S3Client

    init(client: S3Client) { self.client = client }

    var interrupt: @Sendable () -> Void {
        { [client] in client.stop() }
    }

    func put(_ object: SealedObject) throws(LakeError) {
        do throws(LakeError) {
            try SpoolReader.read(object) { _ in }
        } catch {
            guard error.kind == .spoolFault, try isPresent(object) else { throw error }
            return
        }
        CrashPoint.reached(.insidePut)
        do throws(AWSError) {
            _ = try client.put(
                object.name, file: object.path, byteCount: object.byteCount,
                sha256: object.sha256)
        } catch {
            throw LakeError(error)
        }
    }

    /// Whether the lake holds what the spool has lost.
    private func isPresent(_ object: SealedObject) throws(LakeError) -> Bool {
        do throws(AWSError) {
            guard let facts = try client.facts(of: object.name) else { return false }
            let isSame = facts.sha256.map { $0 == object.sha256 } ?? true
            return facts.byteCount == object.byteCount && isSame
        } catch {
            // The spool's fault is the trouble to tell of; it is looked at again.
            return false
        }
    }
}

extension LakeError {
    /// What a service said, in the lake's words.
    init(_ error: AWSError) {
        let kind: Kind =
            switch error.kind {
            case .unavailable, .staleKey, .clockSkewed, .elsewhere: .unavailable
            case .refused, .missing, .conditionUnknown: .refused
            case .exists: .conflict
            }
        self.init(kind, error.reason, hint: error.hint, retryAfter: error.retryAfter)
    }
}
