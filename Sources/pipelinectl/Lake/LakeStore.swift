/// A lake to read from: a directory or a bucket.
///
/// Objects are listed a day at a time, so that memory is bounded by a day's names. Every method
/// blocks, and any thread may call it.
protocol LakeStore: AnyObject, Sendable {
    /// How people name the lake.
    var description: String { get }

    /// How many threads may read objects at once with any use.
    var readersMax: Int { get }

    /// The days that have objects, `2026-11-24` and so on, ascending.
    func days() throws(LakeReadError) -> [String]

    /// A day's objects, ascending by name; unfinished files, which begin with a dot, are not among
    /// them.
    func objects(of day: String) throws(LakeReadError) -> [StoredObject]

    /// An object's size in bytes, or `nil` where there is none of that name.
    func byteCount(of name: String) throws(LakeReadError) -> Int?

    /// Calls `body` with a listed object's bytes in order, piece by piece.
    func read(
        _ object: StoredObject,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LakeReadError)
}

/// Why a lake, or one object of it, could not be read; says what to do where that is known.
struct LakeReadError: Error, Equatable {
    let message: String
    /// An object that was listed and is not there any more.
    var isMissing = false

    init(_ message: String, isMissing: Bool = false) {
        self.message = message
        self.isMissing = isMissing
    }
}

/// An object as a lake lists it.
struct StoredObject: Equatable, Sendable {
    /// Its name below the lake's root: `statuses/dt=…/hour=…/…`.
    let name: String
    let byteCount: Int
    /// Changes with the bytes, where the lake knows such a thing.
    var version = ""
}

/// What the name of an object says, where it is one of ours:
/// `<queue id>-<first id>-<last id>-<hash>.ndjson.gz`.
struct ObjectNameParts: Equatable, Sendable {
    let queueID: Substring
    let firstWebhook: Int64
    let lastWebhook: Int64
    /// The first 12 hex digits of the object's SHA-256.
    let hash: Substring

    /// - Returns: `nil` for a name that no pipeline gave, a Firehose stream's say.
    init?(_ name: String) {
        let file = name.split(separator: "/").last ?? ""
        guard let dot = file.firstIndex(of: "."),
            [".ndjson", ".ndjson.gz"].contains(file[dot...])
        else { return nil }
        let parts = file[..<dot].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, Self.isHex(parts[0]), Self.isHex(parts[3]),
            let first = Int64(parts[1]), let last = Int64(parts[2]), 0 <= first, first <= last
        else { return nil }
        queueID = parts[0]
        firstWebhook = first
        lastWebhook = last
        hash = parts[3]
    }

    /// Whether a file's name is an object's: it is finished, and has lines in it.
    static func isObject(_ file: String) -> Bool {
        !file.hasPrefix(".") && (file.hasSuffix(".ndjson") || file.hasSuffix(".ndjson.gz"))
    }

    private static func isHex(_ text: Substring) -> Bool {
        text.utf8.count == 12
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
