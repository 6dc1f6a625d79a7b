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

    /// The sizes of the files in a directory together, in bytes; 0 where it cannot be read.
    public static func byteCount(inDirectory path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }

        var total = 0
        while let found = readdir(directory) {
            let name = withUnsafeBytes(of: &found.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var facts = stat()
            // A file may go between the two calls; a directory holds nothing of ours.
            guard lstat("\(path)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            total += Int(facts.st_size)
        }
        return total
    }

    /// Bytes free to this user on the file system that holds `path`, or `nil` where it is not
    /// there.
    public static func freeByteCount(at path: String) -> Int? {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }
}
