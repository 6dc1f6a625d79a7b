import AWS
import Base
import Synchronization

/// Looks whether objects can be put into a bucket, and found there.
struct BucketCheck {
    let settings: S3Settings
    let aws: AWSSettings

    private static let id = "lake"
    private static let listingID = "lake.listing"
    // Query engines pass over names that begin with a dot.
    private static let probe = ".pipelinectl-check"

    func findings() -> [Finding] {
        let notes = Notes()
        let client = S3Client(settings, aws: aws, onNote: { notes.add($0) })
        defer { client.stop() }

        let place = "s3://\(settings.bucket)/\(settings.prefix)"
        let outcome: S3PutOutcome
        do throws(AWSError) {
            outcome = try put(client)
        } catch {
            return [
                .fail(
                    Self.id, "\(place): \(error.reason)",
                    advice: (error.hint ?? "see the lake's lines in the log of workers")
                        + "; statuses wait in the queue meanwhile")
            ]
        }
        return [finding(place, outcome, notes.all), listingFinding(client, place)]
    }

    private func put(_ client: S3Client) throws(AWSError) -> S3PutOutcome {
        // No bytes at all: their hash is known, and there is nothing to differ.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        return try client.put(Self.probe, file: "/dev/null", byteCount: 0, sha256: empty)
    }

    private func finding(
        _ place: String,
        _ outcome: S3PutOutcome,
        _ notes: [ServiceNote]
    ) -> Finding {
        guard let note = notes.first else { return .ok(Self.id, "\(place) takes objects") }
        return .warn(
            Self.id, "\(place) takes objects; \(note)", advice: "see docs/LAKE-S3.md, other stores")
    }

    private func listingFinding(_ client: S3Client, _ place: String) -> Finding {
        do throws(AWSError) {
            _ = try client.list(limit: 1)
            return .ok(Self.listingID, "\(place) can be listed")
        } catch {
            return .warn(
                Self.listingID, "\(place): \(error.reason)",
                advice: (error.hint ?? "mend it")
                    + "; workers do without, lookup and lake verify do not")
        }
    }

    private final class Notes: Sendable {
        private let notes = Mutex<[ServiceNote]>([])
        func add(_ note: ServiceNote) { notes.withLock { $0.append(note) } }
        var all: [ServiceNote] { notes.withLock { $0 } }
    }
}

/// Looks whether a delivery stream is there and takes records.
struct StreamCheck {
    let stream: String
    let aws: AWSSettings

    private static let id = "lake"

    func finding() -> Finding {
        let client = FirehoseClient(stream: stream, aws: aws)
        defer { client.stop() }

        do throws(AWSError) {
            let status = try client.streamStatus()
            guard status == "ACTIVE" else {
                return .fail(
                    Self.id, "firehose://\(stream) is \(status)",
                    advice: "wait for it, or mend the stream; statuses wait in the queue meanwhile")
            }
            return .ok(Self.id, "firehose://\(stream) is active")
        } catch {
            let advice = error.hint ?? "see the lake's lines in the log of workers"
            // Who may put need not be allowed to look.
            return error.status == 403 || error.reason.contains("AccessDenied")
                ? .warn(Self.id, "firehose://\(stream): \(error.reason)", advice: advice)
                : .fail(Self.id, "firehose://\(stream): \(error.reason)", advice: advice)
        }
    }
}
