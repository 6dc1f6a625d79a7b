import Glibc

/// Facts of files by `stat` alone: opening and closing a database file would drop SQLite's locks.
public enum FileFacts {
    /// Whether there is a file of any kind at `path`.
    public static func exists(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0
    }

    /// The size of the file in bytes, or 0 where there is none.
    public static func byteCount(_ path: String) -> Int {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : 0
    }

    /// Bytes free to this user on the file system that holds `path`, or `nil` where it is not
    /// there.
    public static func freeByteCount(at path: String) -> Int? {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }
}
