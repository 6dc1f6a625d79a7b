import Base
import CSQLite

/// The durable queue of webhooks: one SQLite file in WAL mode, the only contract between programs.
///
/// Promises and invariants:
/// - A webhook is stored once ``WebhookLog/appendHoldingGate(_:)`` returns: its transaction is
///   synced.
/// - The log is append-only and read by two consumers, each behind its own cursor. A row is deleted
///   only when both have passed it.
/// - What a consumer makes of a webhook is stored in the transaction that moves its cursor past it.
/// - Every commit and every checkpoint passes the ``Gate``; readers need none.
/// - A counter changes in the transaction that moves what it counts, so the books balance always.
///
///      ingest              lake consumer                    shipper
///     ───────▶ webhook ──┬─────────────▶ lake_batch (+ spool) ─────▶ shipped
///                        │ forward consumer        attempt
///                        └─────────────▶ delivery ─────────▶ delivered | dead
///
/// A session is one connection with its statements. It is not Sendable: the thread that opens it
/// keeps it. Each method says what it throws; all may throw ``QueueError/sqlite(_:)``,
/// ``QueueError/corrupt(path:detail:)``, ``QueueError/full`` and ``QueueError/busy``.
public final class QueueSession {
    /// Who opens the queue, which decides what it may do and how far its commits go.
    public enum Role: Sendable {
        /// Makes and migrates the file; every commit is synced.
        case ingest
        /// The lake's sealer and shipper: makes and migrates the file; every commit is synced.
        case lake
        /// The forward pool: makes and migrates the file; a power loss may undo its last commits,
        /// which only repeats work.
        case forward
        /// Purging and checkpoints: commits as `forward`.
        case upkeep
        /// pipelinectl: refuses a missing or older file; every commit is synced.
        case tool

        var mayCreate: Bool {
            switch self {
            case .ingest, .lake, .forward, .upkeep: true
            case .tool: false
            }
        }

        var synchronous: Synchronous {
            switch self {
            case .ingest, .lake, .tool: .full
            case .forward, .upkeep: .normal
            }
        }
    }

    /// The file and what stands beside it.
    public let location: QueueLocation
    /// Twelve hex digits, made once per file: the first part of each lake object's name.
    public let queueID: String
    /// The log of webhooks.
    public let log: WebhookLog
    /// What the lake consumer stores.
    public let lake: LakeBooks
    /// What the forward consumer stores.
    public let forward: ForwardBooks
    /// Deliveries that were given up, until a person decides.
    public let deadLetters: DeadLetters
    /// Purging and checkpoints.
    public let upkeep: UpkeepBooks

    let connection: Connection

    /// Makes the directories, and the gate, of a queue.
    ///
    /// - Returns: the gate that every session of this process shares.
    /// - Throws: ``QueueError/missing(path:)`` for a `tool` where there is no file,
    ///   ``QueueError/file(_:)``.
    public static func openGate(
        _ location: QueueLocation,
        as role: Role,
        observer: Gate.Observer? = nil
    ) throws(QueueError) -> Gate {
        if role.mayCreate {
            do throws(SystemError) {
                try DurableFile.makeDirectory(location.directory)
                try DurableFile.makeDirectory(location.spoolDirectory)
            } catch {
                throw .file(error)
            }
        } else {
            guard FileFacts.exists(location.path) else { throw .missing(path: location.path) }
        }
        return try Gate.open(location, observer: observer)
    }

    /// Opens the queue on the calling thread.
    ///
    /// Blocks while another program migrates, and while SQLite recovers after a crash.
    ///
    /// - Throws: ``QueueError/missing(path:)``, ``QueueError/notAQueue(path:)``,
    ///   ``QueueError/newerSchema(path:found:supported:)``, ``QueueError/file(_:)``.
    public static func open(
        _ location: QueueLocation,
        gate: Gate,
        as role: Role
    ) throws(QueueError) -> QueueSession {
        if role.mayCreate {
            try Migrator.createFile(at: location)
        } else {
            guard FileFacts.exists(location.path) else { throw .missing(path: location.path) }
        }
        let connection = try Connection(
            path: location.path, gate: gate, synchronous: role.synchronous)
        let migrator = Migrator(connection: connection)
        if role.mayCreate {
            try migrator.migrate()
        } else {
            try migrator.refuseUnlessCurrent()
        }
        return try QueueSession(location: location, connection: connection)
    }

    private init(location: QueueLocation, connection: Connection) throws(QueueError) {
        self.location = location
        self.connection = connection
        let identity = try connection.statement("select queue_id from queue")
        defer { identity.reset() }

        guard try identity.step() else { throw .notAQueue(path: location.path) }
        queueID = identity.text(0)
        connection.queueID = queueID
        log = WebhookLog(connection: connection)
        lake = LakeBooks(connection: connection)
        forward = ForwardBooks(connection: connection)
        deadLetters = DeadLetters(connection: connection)
        upkeep = UpkeepBooks(connection: connection)
    }

    /// Pages in the WAL after the last commit of this session, of ``pageByteCount`` each.
    public var walPages: Int { connection.walPages }
}
