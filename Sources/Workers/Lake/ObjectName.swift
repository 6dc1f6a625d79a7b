import Base

/// What an object in the lake is called, and where its spool file lies until it is there.
///
///     statuses/dt=2026-11-24/hour=00/<queue id>-<first id>-<last id>-<hash>.ndjson.gz
///
/// Every part comes from the log and from the content, none from the clock or from chance: the same
/// name means the same bytes, so an object that is already there is success. A cloned machine or a
/// restored backup that seals other bytes gets another hash, and so never another's name.
struct ObjectName: Sendable, Equatable {
    /// The whole name below the lake's root, with its partitions.
    let text: String

    /// How many hex digits of the object's SHA-256 stand in its name.
    static let hashDigitCount = 12

    /// Names the object of a batch.
    ///
    /// - Parameters:
    ///   - queueID: which host wrote it.
    ///   - hour: any moment of the hour of receipt, UTC.
    ///   - firstID: the first webhook with a line in it.
    ///   - lastID: the last webhook that was read for it.
    ///   - sha256: 64 hex digits over the object's bytes, compressed as they are stored.
    ///   - compression: decides over the ending.
    init(
        queueID: String,
        hour: Timestamp,
        firstID: Int64,
        lastID: Int64,
        sha256: String,
        compression: ObjectCompression
    ) {
        precondition(sha256.utf8.count == 64, "a SHA-256 has 64 hex digits")
        precondition(firstID <= lastID, "a batch runs forward")
        let date = hour.date
        let day = "\(Self.padded(date.year, 4))-\(Self.padded(date.month))-\(Self.padded(date.day))"
        let partition = "statuses/dt=\(day)/hour=\(Self.padded(date.hour))"
        let hash = sha256.prefix(Self.hashDigitCount)
        text =
            "\(partition)/\(queueID)-\(firstID)-\(lastID)-\(hash)\(compression.fileSuffix)"
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// How objects are stored.
///
/// `LAKE_COMPRESSION`, default gzip.
enum ObjectCompression: String, CaseIterable, Sendable {
    case gzip
    case none

    var fileSuffix: String {
        switch self {
        case .gzip: ".ndjson.gz"
        case .none: ".ndjson"
        }
    }
}
