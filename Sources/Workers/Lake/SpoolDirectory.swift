import Base
import Glibc

/// The directory of sealed batches that are on their way, `<db>.spool/`.
///
/// A spool file is called as its object, with `~` for each slash, so that either name gives the
/// other. The file of the open batch has a leading dot and `.tmp` at the end.
struct SpoolDirectory: Sendable {
    let path: String

    /// The file of the open batch; there is one at a time.
    var openPath: String { "\(path)/\(Self.openFileName)" }

    private static let openFileName = ".lake-open.tmp"

    /// The spool file of an object.
    func path(ofObject name: String) -> String {
        "\(path)/\(String(name.map { $0 == "/" ? "~" : $0 }))"
    }

    /// The objects that spool files here hold, in no order; other files are not ours, and stay.
    func objectNames() throws(SystemError) -> [String] {
        try Self.fileNames(in: path).compactMap(Self.objectName)
    }

    /// Removes the file of a batch that was open when a run ended; no error where there is none.
    func removeOpenFile() throws(SystemError) { try DurableFile.remove(openPath) }

    /// - Returns: nil for a file that is not a spool file of ours.
    static func objectName(ofFile name: String) -> String? {
        guard name.hasPrefix("statuses~"),
            ObjectCompression.allCases.contains(where: { name.hasSuffix($0.fileSuffix) })
        else { return nil }
        return String(name.map { $0 == "~" ? "/" : $0 })
    }

    private static func fileNames(in path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else {
            throw SystemError(call: "opendir", code: errno, path: path)
        }
        defer { closedir(directory) }

        var names: [String] = []
        errno = 0
        while let found = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &found.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
            errno = 0
        }
        guard errno == 0 else { throw SystemError(call: "readdir", code: errno, path: path) }
        return names
    }
}

/// Free space, for those who are not root, of the file system that holds a path.
enum FreeSpace {
    static func byteCount(at path: String) throws(SystemError) -> Int {
        var status = statvfs()
        try systemCall("statvfs", path: path) { statvfs(path, &status) }
        return Int(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
    }
}
