/// Where a queue lives: the database file and everything that stands beside it.
public struct QueueLocation: Sendable, Equatable {
    /// The database file, `QUEUE_PATH`.
    public let path: String

    /// - Parameter path: the database file; relative to the working directory, or absolute.
    public init(path: String) { self.path = path }

    /// SQLite's write-ahead log.
    public var walPath: String { path + "-wal" }
    /// The directory that holds the database file.
    public var directory: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
    /// Sealed batches that are not shipped yet.
    public var spoolDirectory: String { path + ".spool" }
    /// The spool file of a batch: called as its object, with `~` for each slash.
    public func spoolPath(of batch: SealedBatch) -> String {
        spoolPath(ofObject: batch.objectName)
    }
    /// The spool file of the batch with this object name.
    public func spoolPath(ofObject name: String) -> String {
        "\(spoolDirectory)/\(String(name.map { $0 == "/" ? "~" : $0 }))"
    }
    /// Locked by whoever writes; see ``Gate``.
    public var gatePath: String { path + ".gate" }
    /// Locked by whoever is next in line for the gate.
    public var turnPath: String { path + ".turn" }
    /// Held by the one lake pool.
    public var lakeLockPath: String { path + ".lake.lock" }
    /// Held by the one forward pool.
    public var forwardLockPath: String { path + ".forward.lock" }
    /// Space that is given up when the disk runs full, so that draining can go on.
    public var ballastPath: String { path + ".ballast" }
}
