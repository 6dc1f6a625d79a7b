import Glibc

/// Files that are there whole after a power cut, or not at all.
///
/// A file is written under a passing name (a leading dot, `.tmp` at the end), synced, renamed, and
/// its directory synced. A crash leaves at most the passing name, which whoever owns the directory
/// may remove at start. All calls block for as long as the disk takes.
public enum DurableFile {
    /// Writes a whole file, in place of one that has the name already.
    ///
    /// - Parameters:
    ///   - bytes: its whole content.
    ///   - path: in a directory that exists.
    ///   - mode: its permissions, less the umask.
    /// - Throws: ``SystemError``; what had the name before is untouched then, unless it was the
    ///   sync of the directory that failed.
    public static func write(
        _ bytes: UnsafeRawBufferPointer,
        to path: String,
        mode: mode_t = 0o600
    ) throws(SystemError) {
        let directory = parent(of: path)
        let passingPath = "\(directory)/\(passingName(for: path))"
        do throws(SystemError) {
            try writeAndSync(bytes, to: passingPath, mode: mode)
            try systemCall("rename", path: path) { rename(passingPath, path) }
        } catch {
            unlink(passingPath)
            throw error
        }
        try syncDirectory(directory)
    }

    /// Writes a whole file from an array; see ``write(_:to:mode:)-swift.type.method``.
    ///
    /// - Parameters:
    ///   - bytes: its whole content.
    ///   - path: in a directory that exists.
    ///   - mode: its permissions, less the umask.
    /// - Throws: ``SystemError``.
    public static func write(
        _ bytes: [UInt8],
        to path: String,
        mode: mode_t = 0o600
    ) throws(SystemError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, SystemError> in
            Result { () throws(SystemError) in try write(buffer, to: path, mode: mode) }
        }
        try result.get()
    }

    /// Makes names that were made in, renamed in or removed from a directory durable.
    public static func syncDirectory(_ path: String) throws(SystemError) {
        let directory = Descriptor(
            adopting: try systemCall("open", path: path) {
                open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            }
        )
        do {
            try systemCall("fsync", path: path) { fsync(directory.rawValue) }
        } catch {
            // Some file systems cannot sync a directory; they say so with EINVAL, and there is no
            // other way to ask them.
            guard error.code == EINVAL else { throw error }
        }
    }

    /// Makes a directory, with the parents that are missing; no error where it is there already.
    ///
    /// The names on the way to it are synced each time, since a run that crashed may have made
    /// them without getting as far. Parents that this user may not open are somebody else's care.
    ///
    /// - Parameters:
    ///   - path: absolute, or from the working directory.
    ///   - mode: permissions of each directory made, less the umask.
    /// - Throws: ``SystemError``, ENOTDIR or EEXIST where a file is in the way.
    public static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(SystemError) {
        try makeDirectoryOnly(path, mode: mode)
        var child = path
        while true {
            let directory = parent(of: child)
            guard directory != child else { return }
            do {
                try syncDirectory(directory)
            } catch {
                guard error.code == EACCES || error.code == EROFS else { throw error }
            }
            guard directory != "." else { return }
            child = directory
        }
    }

    /// Removes a file; no error where it is missing.
    ///
    /// The removal is not synced: whoever minds the file coming back after a power cut calls
    /// ``syncDirectory(_:)``.
    public static func remove(_ path: String) throws(SystemError) {
        do {
            try systemCall("unlink", path: path) { unlink(path) }
        } catch {
            guard error.code == ENOENT else { throw error }
        }
    }

    /// The directory a path stands in: `"."` for a bare name, `"/"` for the root itself.
    public static func parent(of path: String) -> String {
        var bytes = Array(path.utf8)
        let slash = UInt8(ascii: "/")
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        guard let last = bytes.lastIndex(of: slash) else { return "." }
        bytes.removeSubrange(last...)
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        return bytes.isEmpty ? "/" : String(decoding: bytes, as: UTF8.self)
    }

    /// A name of chance, so that neither an orphan nor another process is in the way.
    private static func passingName(for path: String) -> String {
        let name =
            path.utf8.lastIndex(of: UInt8(ascii: "/"))
            .map { String(path[path.utf8.index(after: $0)...]) } ?? path
        return ".\(name).\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
    }

    private static func writeAndSync(
        _ bytes: UnsafeRawBufferPointer,
        to path: String,
        mode: mode_t
    ) throws(SystemError) {
        let file = Descriptor(
            adopting: try systemCall("open", path: path) {
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
            }
        )
        var offset = 0
        while offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            offset += try systemCall("write", path: path) {
                Glibc.write(file.rawValue, rest.baseAddress, rest.count)
            }
        }
        try systemCall("fsync", path: path) { fsync(file.rawValue) }
    }

    private static func makeDirectoryOnly(_ path: String, mode: mode_t) throws(SystemError) {
        do {
            try systemCall("mkdir", path: path) { mkdir(path, mode) }
        } catch {
            let directory = parent(of: path)
            switch error.code {
            case EEXIST where isDirectory(path):
                return
            case ENOENT where directory != path && directory != ".":
                try makeDirectoryOnly(directory, mode: mode)
                try makeDirectoryAgain(path, mode: mode)
            default:
                throw error
            }
        }
    }

    /// The last step once the parent is there; another process may have been faster.
    private static func makeDirectoryAgain(_ path: String, mode: mode_t) throws(SystemError) {
        do {
            try systemCall("mkdir", path: path) { mkdir(path, mode) }
        } catch {
            guard error.code == EEXIST, isDirectory(path) else { throw error }
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
