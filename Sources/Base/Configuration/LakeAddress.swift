/// What LAKE_URL says.
public enum LakeAddress: Sendable, Equatable {
    /// `file:PATH`.
    case directory(path: String)
    /// `s3://BUCKET/PREFIX`; the prefix has no slashes at its ends and may be empty.
    case s3(bucket: String, prefix: String)
    /// `firehose://STREAM`.
    case firehose(stream: String)

    /// What LAKE_URL may be, for messages.
    public static let expected = "file:PATH, s3://BUCKET/PREFIX or firehose://STREAM"

    /// Reads LAKE_URL.
    ///
    /// - Returns: nil where `text` is none of ``expected``.
    public init?(_ text: String) {
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
            guard Self.isPrefix(prefix) else { return nil }
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

    /// Whether it can stand in an address as it is: a client on the way would resolve `..`.
    private static func isPrefix(_ text: String) -> Bool {
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        return !text.hasPrefix("/") && !text.contains("//") && text.utf8.count <= 512
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            && segments.allSatisfy { $0 != "." && $0 != ".." }
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
