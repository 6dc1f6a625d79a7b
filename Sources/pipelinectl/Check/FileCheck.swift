import Base
import Glibc
import Queue

/// Looks at the queue's directory and files, by `stat` alone.
struct FileCheck {
    let location: QueueLocation
    let diskFreeBytesMin: Int

    func findings() -> [Finding] {
        guard let directory = Self.facts(of: location.directory) else {
            return [
                .fail(
                    "queue.directory", "\(location.directory) is not there",
                    advice: "start ingest, which makes it, or set QUEUE_PATH")
            ]
        }
        return [directoryFinding(directory), fileSystemFinding(), fileFinding(), diskFinding()]
    }

    private func directoryFinding(_ facts: stat) -> Finding {
        let id = "queue.directory"
        let path = location.directory
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            return .fail(id, "\(path) is no directory", advice: "set QUEUE_PATH to another file")
        }
        guard access(path, W_OK | X_OK) == 0 else {
            return .fail(
                id, "\(path) is not writable for this user",
                advice: "run as the user who owns the queue, or give the directory to that user")
        }
        guard facts.st_mode & 0o077 == 0 else {
            return .warn(
                id, "other users can look into \(path) (mode \(Self.octal(facts.st_mode)))",
                advice: "chmod 700 \(path): messages and phone numbers stand in the queue")
        }
        return .ok(id, "\(path) is writable, and closed to other users")
    }

    private func fileFinding() -> Finding {
        let id = "queue.file"
        guard let facts = Self.facts(of: location.path) else {
            return .warn(
                id, "there is no queue at \(location.path) yet",
                advice: "start ingest, which makes it, or set QUEUE_PATH to the file it uses")
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            return .fail(
                id, "\(location.path) is no ordinary file",
                advice: "set QUEUE_PATH to the file itself: a link can corrupt it")
        }
        guard facts.st_mode & 0o077 == 0 else {
            return .warn(
                id, "other users can read \(location.path) (mode \(Self.octal(facts.st_mode)))",
                advice: "chmod 600 \(location.path)")
        }
        let strangers = Self.companions(of: location).filter { path in
            Self.facts(of: path).map { $0.st_uid != facts.st_uid } ?? false
        }
        guard strangers.isEmpty else {
            return .fail(
                id, "\(strangers.joined(separator: ", ")) belongs to another user than the queue",
                advice: "stop the programs, chown it to the queue's owner, start them as one user")
        }
        return .ok(id, "\(location.path), \(Humane.size(Int(facts.st_size)))")
    }

    private static func companions(of location: QueueLocation) -> [String] {
        [
            location.walPath, location.path + "-shm", location.spoolDirectory, location.gatePath,
            location.turnPath, location.lakeLockPath, location.forwardLockPath,
        ]
    }

    private static let remoteFileSystems: Set = [
        "nfs", "nfs4", "cifs", "smb3", "9p", "lustre", "ceph", "gpfs", "glusterfs", "fuse.sshfs",
        "fuse.glusterfs", "fuse.s3fs", "afs",
    ]
    private static let mountTablePath = "/proc/self/mountinfo"
    private static let mountTableBytesMax = 4 * 1_048_576

    private func fileSystemFinding() -> Finding {
        let id = "queue.filesystem"
        guard let type = Self.fileSystemType(of: location.directory) else {
            return .warn(
                id, "the file system of \(location.directory) is not known",
                advice: "make sure that it is a local disk")
        }
        if Self.remoteFileSystems.contains(type) {
            return .fail(
                id, "\(location.directory) is on a network file system (\(type))",
                advice: "move the queue to a local disk: SQLite's locks do not hold there")
        }
        if type == "tmpfs" || type == "ramfs" {
            return .warn(
                id, "\(location.directory) is in memory (\(type))",
                advice: "move the queue to a disk: what is acknowledged is lost at a reboot")
        }
        return .ok(id, "on \(type)")
    }

    private static func fileSystemType(of path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }

        let bytes = try? SmallFile.read(mountTablePath, byteCountMax: mountTableBytesMax)
        return bytes.flatMap {
            MountTable(String(decoding: $0, as: UTF8.self)).type(of: String(cString: real))
        }
    }

    private func diskFinding() -> Finding {
        let id = "queue.disk"
        guard let free = FileFacts.freeByteCount(at: location.directory) else {
            return .warn(id, "free space is not known", advice: "see df \(location.directory)")
        }
        let text =
            "\(Humane.size(free)) free; below \(Humane.size(diskFreeBytesMin)) ingest answers 503"
        let advice = "free some space, or move the queue to a larger disk"
        if free < diskFreeBytesMin { return .fail(id, text, advice: advice) }
        if free / 2 < diskFreeBytesMin { return .warn(id, text, advice: advice) }
        return .ok(id, text)
    }

    static func facts(of path: String) -> stat? {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts : nil
    }

    private static func octal(_ mode: mode_t) -> String { String(mode & 0o777, radix: 8) }
}
