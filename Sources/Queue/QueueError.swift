import Base

/// What can go wrong with the queue; each description is one line that says what to do.
public enum QueueError: Error, Sendable, CustomStringConvertible {
    /// There is no file there, and this program does not make one.
    case missing(path: String)
    /// The file is an SQLite database, but not a queue of ours, or no database at all.
    case notAQueue(path: String)
    /// SQLite found the file malformed.
    case corrupt(path: String, detail: String)
    /// The file was written by a later version that this one cannot work with.
    case newerSchema(path: String, found: Int, supported: Int)
    /// The file is older than this program, which does not migrate.
    case olderSchema(path: String, found: Int, needed: Int)
    /// A directory or a file beside the database could not be made or opened.
    case file(SystemError)
    /// The disk is full. The transaction was rolled back.
    case full
    /// The disk did not confirm a write. What it holds is unknown: the process must stop.
    case syncFailed(detail: String)
    /// Another connection held the file longer than the busy timeout.
    case busy
    /// A consumer's cursor is not where its holder left it: two pools of one kind are running.
    case cursorMoved(consumer: String)
    /// Anything else that SQLite refused.
    case sqlite(SQLiteError)

    /// One line: what is wrong and what to do.
    public var description: String {
        switch self {
        case .missing(let path):
            "no queue at \(path): start ingest first, or set QUEUE_PATH to the file it uses"
        case .notAQueue(let path):
            "\(path) is not a queue of this pipeline: set QUEUE_PATH to another file"
        case .corrupt(let path, let detail):
            "\(path) is damaged (\(detail)): keep it, and save what can be read with "
                + "`pipelinectl salvage`, or restore a backup"
        case .newerSchema(let path, let found, let supported):
            "\(path) has schema version \(found), this program knows up to \(supported): "
                + "install the newer release that wrote it"
        case .olderSchema(let path, let found, let needed):
            "\(path) has schema version \(found), this program needs \(needed): "
                + "start ingest or workers of this release once, they migrate it"
        case .file(let error):
            "\(error): the queue's directory must exist, be on a local disk and be writable by "
                + "the user that runs the pipeline"
        case .full:
            "the disk that holds the queue is full: free some space, nothing acknowledged is lost"
        case .syncFailed(let detail):
            "the disk did not confirm a write (\(detail)): check the disk before trusting it "
                + "again, what was not confirmed has not been acknowledged"
        case .busy:
            "the queue is locked by another program, the sqlite3 shell for example: close it"
        case .cursorMoved(let consumer):
            "the \(consumer) consumer's cursor was moved by someone else: is a second pool running?"
        case .sqlite(let error):
            error.description
        }
    }
}

/// An SQLite call that did not return the code it had to.
public struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The extended result code. https://www.sqlite.org/rescode.html
    public let code: Int32
    /// SQLite's own words, which name tables and columns but hold no values.
    public let message: String
    /// The statement, where there was one.
    public let sql: String?

    /// One line, without values.
    public var description: String {
        "SQLite error \(code): \(message)" + (sql.map { " (in: \($0))" } ?? "")
    }
}
