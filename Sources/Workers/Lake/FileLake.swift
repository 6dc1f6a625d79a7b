import Base
import CLinux
import Glibc

/// A lake in a directory: `LAKE_URL=file:PATH`.
///
/// An object is copied under a passing name in its own directory, synced, and renamed to a name
/// that must be free; then the directory is synced, and each directory above it once per partition.
/// What lies under the name already is compared: the same bytes are success, others a conflict.
final class FileLake: ObjectLake {
    private let root: String
    /// The last partition whose directories are known to be durable: one an hour.
    private var durablePartition: String?

    /// - Parameter root: the directory; made, with its parents, by the first object.
    init(root: String) { self.root = root }

    func put(_ object: SealedObject) throws(LakeError) {
        let target = "\(root)/\(object.name)"
        let directory = DurableFile.parent(of: target)
        do throws(SystemError) {
            if durablePartition != directory {
                try DurableFile.makeDirectory(directory)
                durablePartition = directory
            }
        } catch {
            throw LakeError(error)
        }
        if try !isPresent(object, at: target) {
            try copy(object, to: target, in: directory)
        }
        do throws(SystemError) {
            try DurableFile.syncDirectory(directory)
        } catch {
            durablePartition = nil
            throw LakeError(error)
        }
    }

    /// Whether the object lies at `path` already, whole.
    ///
    /// - Throws: ``LakeError/Kind/conflict`` where something else does.
    private func isPresent(_ object: SealedObject, at path: String) throws(LakeError) -> Bool {
        let found = SealedObject(
            name: object.name, path: path, byteCount: object.byteCount, sha256: object.sha256)
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw LakeError(SystemError(call: "lstat", code: errno, path: path))
            }
            return false
        }
        do throws(LakeError) {
            try SpoolReader.read(found) { _ in }
        } catch {
            guard error.kind == .spoolFault else { throw error }
            throw LakeError(
                .conflict, "\(path) exists with other bytes than the batch of that name",
                hint: "it is never replaced: move it away and the batch is put in its place")
        }
        return true
    }

    private func copy(
        _ object: SealedObject,
        to target: String,
        in directory: String
    ) throws(LakeError) {
        let passing = "\(directory)/.\(Self.lastComponent(of: object.name)).tmp"
        do throws(LakeError) {
            try write(object, to: passing)
            CrashPoint.reached(.insidePut)
            do throws(SystemError) {
                try Self.renameWithoutReplacing(passing, to: target)
            } catch {
                // Someone was faster; the same bytes are as good as ours.
                guard error.code == EEXIST else { throw LakeError(error) }
                guard try isPresent(object, at: target) else { throw LakeError(error) }
                unlink(passing)
            }
        } catch {
            unlink(passing)
            // The directory may have been removed behind our back: look again next time.
            durablePartition = nil
            throw error
        }
    }

    private func write(_ object: SealedObject, to path: String) throws(LakeError) {
        do throws(SystemError) {
            try DurableFile.remove(path)
        } catch {
            throw LakeError(error)
        }
        let file = try Self.create(path)
        let descriptor = file.rawValue
        try SpoolReader.read(object) { (piece) throws(LakeError) in
            try Self.write(piece, to: descriptor, path: path)
        }
        do throws(SystemError) {
            try systemCall("fsync", path: path) { fsync(descriptor) }
        } catch {
            throw LakeError(error)
        }
        // Keeps the descriptor open up to here.
        _ = file.rawValue
    }

    private static func create(_ path: String) throws(LakeError) -> Descriptor {
        do throws(SystemError) {
            return Descriptor(
                adopting: try systemCall("open", path: path) {
                    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
                })
        } catch {
            throw LakeError(error)
        }
    }

    private static func write(
        _ piece: UnsafeRawBufferPointer,
        to descriptor: Int32,
        path: String
    ) throws(LakeError) {
        var offset = 0
        do throws(SystemError) {
            while offset < piece.count {
                let rest = UnsafeRawBufferPointer(rebasing: piece[offset...])
                offset += try systemCall("write", path: path) {
                    Glibc.write(descriptor, rest.baseAddress, rest.count)
                }
            }
        } catch {
            throw LakeError(error)
        }
    }

    /// Renames to a name that must be free.
    ///
    /// Not every file system knows the flag: then a second name is made, which must be free too,
    /// and the first removed.
    static func renameWithoutReplacing(_ old: String, to new: String) throws(SystemError) {
        do throws(SystemError) {
            try systemCall("renameat2", path: new) { clinux_rename_new(old, new) }
        } catch {
            guard error.code == EINVAL || error.code == ENOSYS || error.code == EOPNOTSUPP else {
                throw error
            }
            try systemCall("link", path: new) { link(old, new) }
            try systemCall("unlink", path: old) { unlink(old) }
        }
    }

    private static func lastComponent(of name: String) -> String {
        name.split(separator: "/").last.map(String.init) ?? name
    }
}
