import Base

/// A place that keeps objects.
///
/// What every lake promises: when `put` returns, the object is durable under its name, whole.
/// Putting it again is success and changes nothing. An object with other bytes is never replaced.
/// Before `put` returns, no reader finds part of an object under its name.
///
/// Not `Sendable`: the shipper's thread makes it and alone uses it. `put` blocks.
protocol ObjectLake: AnyObject {
    /// Puts one object, and returns when it is durable.
    func put(_ object: SealedObject) throws(LakeError)
}

/// An object on its way: what the queue's books say of it, and where its bytes lie.
struct SealedObject: Sendable, Equatable {
    /// The name below the lake's root.
    let name: String
    /// The spool file with its bytes.
    let path: String
    let byteCount: Int
    /// Of the bytes as stored; 64 hex digits.
    let sha256: String
}

/// What LAKE_URL says.
enum LakeAddress: Sendable, Equatable {
    case directory(path: String)
    case s3(bucket: String, prefix: String)
    case firehose(stream: String)

    /// What LAKE_URL may be, for messages.
    static let expected = "file:PATH, s3://BUCKET/PREFIX or firehose://STREAM"

    /// - Returns: nil where `text` is none of ``expected``.
    init?(_ text: String) {
        if let path = Self.rest(of: text, after: "file:") {
            // file:///x and file:/x are the same path; file://host/x would name another machine.
            let isAuthority = path.hasPrefix("//")
            guard !isAuthority || path.hasPrefix("///") else { return nil }
            let plain = isAuthority ? String(path.dropFirst(2)) : path
            guard !plain.isEmpty else { return nil }
            self = .directory(path: Self.trimmingSlashes(plain, keepingRoot: true))
        } else if let rest = Self.rest(of: text, after: "s3://") {
            let pieces = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let bucket = pieces.first.map(String.init), Self.isBucketName(bucket) else {
                return nil
            }
            let prefix = pieces.count > 1 ? String(pieces[1]) : ""
            guard !prefix.hasPrefix("/"), !prefix.contains("//") else { return nil }
            self = .s3(bucket: bucket, prefix: Self.trimmingSlashes(prefix, keepingRoot: false))
        } else if let stream = Self.rest(of: text, after: "firehose://") {
            guard (1...64).contains(stream.utf8.count), stream.utf8.allSatisfy(Self.isStreamByte)
            else { return nil }
            self = .firehose(stream: stream)
        } else {
            return nil
        }
    }

    private static func rest(of text: String, after scheme: String) -> String? {
        text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil
    }

    private static func trimmingSlashes(_ path: String, keepingRoot: Bool) -> String {
        var path = Substring(path)
        while path.hasSuffix("/"), !(keepingRoot && path.count == 1) { path = path.dropLast() }
        return String(path)
    }

    // Amazon's rule for new buckets; compatible stores follow it.
    private static func isBucketName(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
                    || byte == 0x2e
            }
    }

    private static func isStreamByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7a, 0x41...0x5a, 0x30...0x39, 0x5f, 0x2e, 0x2d: true
        default: false
        }
    }
}
