import Base
import Glibc

/// Looks whether objects can be written to the lake.
struct LakeCheck {
    /// LAKE_URL.
    let url: String

    private static let id = "lake"

    func finding() -> Finding {
        guard let path = Self.directory(of: url) else {
            return .warn(
                Self.id, "\(url) is not a directory of this machine, and is not looked at",
                advice: "see the lake's lines in the log of workers")
        }
        guard let facts = FileCheck.facts(of: path) else { return missingFinding(path) }
        guard facts.st_mode & S_IFMT == S_IFDIR || Self.isDirectory(path) else {
            return .fail(
                Self.id, "\(path) is no directory", advice: "set LAKE_URL to file:DIRECTORY")
        }
        do throws(SystemError) {
            try Self.tryWriting(in: path)
            return .ok(Self.id, "\(path) is writable")
        } catch {
            return .fail(
                Self.id, "\(error)",
                advice: "make it writable for the user of workers; statuses wait in the queue")
        }
    }

    /// `file:PATH`; `file:///PATH` is the same path.
    static func directory(of url: String) -> String? {
        guard url.hasPrefix("file:") else { return nil }
        var path = url.dropFirst("file:".count)
        if path.hasPrefix("///") { path = path.dropFirst(2) }
        return path.isEmpty || path.hasPrefix("//") ? nil : String(path)
    }

    private func missingFinding(_ path: String) -> Finding {
        var parent = DurableFile.parent(of: path)
        while !Self.isDirectory(parent), parent != "/", parent != "." {
            parent = DurableFile.parent(of: parent)
        }
        guard access(parent, W_OK | X_OK) == 0 else {
            return .fail(
                Self.id, "\(path) is not there, and cannot be made in \(parent)",
                advice: "make it, for the user of workers")
        }
        return .ok(Self.id, "\(path) is not there yet; workers make it")
    }

    // Only a write shows a read-only or a full disk. No reader of a lake takes such a name.
    private static func tryWriting(in path: String) throws(SystemError) {
        let name = "\(path)/.pipelinectl-check-\(getpid()).tmp"
        let descriptor = try systemCall("open", path: name) {
            open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        defer { unlink(name) }

        let file = Descriptor(adopting: descriptor)
        try systemCall("write", path: name) { write(file.rawValue, "check", 5) }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }
}
