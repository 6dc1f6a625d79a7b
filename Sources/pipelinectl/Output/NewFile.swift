import Base
import Glibc

/// A file that is written bit by bit, and is there whole and durable, or not at all.
///
/// Written under a passing name beside its own, closed to other users; an older file is never
/// replaced.
final class NewFile {
    private let path: String
    private let passingPath: String
    private let descriptor: Descriptor
    private var isFinished = false

    /// Starts the file.
    ///
    /// - Throws: ``SystemError``, EEXIST where there is something of that name.
    init(_ path: String) throws(SystemError) {
        var facts = stat()
        guard lstat(path, &facts) != 0 else {
            throw SystemError(call: "open", code: EEXIST, path: path)
        }
        self.path = path
        let passingPath = Self.passingPath(for: path)
        self.passingPath = passingPath
        descriptor = Descriptor(
            adopting: try systemCall("open", path: path) {
                open(passingPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            })
    }

    deinit {
        if !isFinished { unlink(passingPath) }
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            offset += try systemCall("write", path: path) {
                bytes.withUnsafeBytes {
                    Glibc.write(
                        descriptor.rawValue, $0.baseAddress?.advanced(by: offset),
                        $0.count - offset)
                }
            }
        }
    }

    /// Makes the file durable under its name.
    func finish() throws(SystemError) {
        try systemCall("fsync", path: path) { fsync(descriptor.rawValue) }
        // A link refuses a name that somebody else took meanwhile; a rename would replace it.
        try systemCall("link", path: path) { link(passingPath, path) }
        isFinished = true
        try DurableFile.remove(passingPath)
        try DurableFile.syncDirectory(DurableFile.parent(of: path))
    }

    /// A dot in front, `.tmp` behind: what no reader of a directory takes for a file of ours.
    static func passingPath(for path: String) -> String {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { slash in
            String(path[path.utf8.index(after: slash)...])
        }
        return "\(DurableFile.parent(of: path))/.\(name ?? path).\(getpid()).tmp"
    }
}
