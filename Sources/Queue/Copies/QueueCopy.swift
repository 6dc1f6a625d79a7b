import Base
import CLinux
import CSQLite

/// A queue file that no program works with: a backup that is made, looked at, or restored.
///
/// It carries a mark: whoever works with it first takes a new queue id. Two queues that go on from
/// one state give the same numbers to different webhooks, and a delivery id made of queue id and
/// number must not mean two things to the receiver.
///
/// Not Sendable: the thread that opens it keeps it.
public final class QueueCopy {
    /// The file.
    public let path: String
    /// Its spool directory, `PATH.spool`, is where a queue's would be.
    public var location: QueueLocation { QueueLocation(path: path) }
    let connection: Connection

    /// Opens a copy.
    ///
    /// - Parameters:
    ///   - path: of a queue's database in which no transaction is open.
    ///   - access: what this process may do with it.
    /// - Throws: ``QueueError/missing(path:)``, ``QueueError/notAQueue(path:)``,
    ///   ``QueueError/newerSchema(path:found:supported:)``, ``QueueError/corrupt(path:detail:)``.
    public init(path: String, access: Access) throws(QueueError) {
        guard FileFacts.exists(path) else { throw .missing(path: path) }
        self.path = path
        connection = try Connection(
            path: path, gate: try Gate.ofPrivateFile(), synchronous: .full, access: access)
        try Migrator(connection: connection).refuseUnlessOurs()
    }

    /// What may be done with a file.
    public enum Access: Sendable {
        /// Neither it nor its directory is written.
        case read
        /// It is read and written.
        case write
    }

    /// Batches that were sealed and not shipped when the copy was made, oldest first.
    ///
    /// - Parameter last: where the look before this one ended; `nil` begins with the oldest.
    /// - Returns: at most a hundred.
    /// - Throws: what every method of a session may throw.
    public func unshippedBatches(after last: BatchID?) throws(QueueError) -> [SealedBatch] {
        try LakeBooks(connection: connection).unshippedBatches(after: last)
    }

    /// Records what happened to the original meanwhile: the lake holds the batch.
    public func markShipped(_ batch: SealedBatch, at moment: Timestamp) throws(QueueError) {
        try LakeBooks(connection: connection).markShipped(batch, at: moment)
    }

    /// Marks the file as a copy, which takes a new queue id when it is first worked with.
    public func mark() throws(QueueError) {
        try connection.write { () throws(QueueError) in
            try connection.execute(.markCopy)
        }
    }

    /// Writes the whole database into an empty file, as ``QueueSession/copyDatabase(into:)`` does.
    public func copyDatabase(into path: String) throws(QueueError) {
        try connection.vacuum(into: path)
    }

    /// What is wrong with the file; see ``Examination``.
    public func faults(of examination: Examination) throws(QueueError) -> [String] {
        try Examiner(connection: connection).faults(of: examination)
    }
}

extension QueueSession {
    /// Writes one consistent state of the whole database into a file, while others work with it.
    ///
    /// Nothing is synced: before the copy may be relied on, the caller syncs file and directory
    /// (https://www.sqlite.org/lang_vacuum.html says that a power loss may otherwise leave it
    /// incomplete). The WAL cannot be restarted meanwhile, so it grows with what is appended.
    ///
    /// - Parameter path: of an empty file.
    /// - Throws: what every method of a session may throw; the file is of no use then.
    public func copyDatabase(into path: String) throws(QueueError) {
        try connection.vacuum(into: path)
    }

    /// When the lake had a batch, or `nil` where it does not, or the books no longer say.
    public func shippedAt(_ batch: SealedBatch) throws(QueueError) -> Timestamp? {
        let select = try connection.statement(
            "select shipped_at from lake_batch where object_name = ?1")
        defer { select.reset() }

        select.bind(1, batch.objectName)
        guard try select.step() else { return nil }
        return select.optionalInt64(0).map(Timestamp.init(rawValue:))
    }
}

extension Connection {
    fileprivate func vacuum(into path: String) throws(QueueError) {
        let vacuum = try statement("vacuum into ?1")
        vacuum.bind(1, path)
        try vacuum.run()
    }
}

extension Gate {
    /// The gate of a file that only this process works with: its lock files have no name.
    static func ofPrivateFile() throws(QueueError) -> Gate {
        do throws(SystemError) {
            return Gate(
                turn: try namelessFile(), gate: try namelessFile(), observer: nil)
        } catch {
            throw .file(error)
        }
    }

    private static func namelessFile() throws(SystemError) -> Descriptor {
        Descriptor(
            adopting: try systemCall("memfd_create") { clinux_nameless_file() })
    }
}

extension SQL {
    /// See ``Migrator``, which looks for it.
    static let markCopy: SQL = "pragma user_version = 1"
}
