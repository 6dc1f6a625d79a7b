import Base
import Foundation
import Glibc

/// A lake in a directory: `LAKE_URL=file:PATH`.
final class DirectoryStore: LakeStore {
    private let root: String

    init(root: String) { self.root = root }

    var description: String { root }

    /// One a core: unpacking takes longer than reading.
    var readersMax: Int { ProcessInfo.processInfo.activeProcessorCount }

    func days() throws(LakeReadError) -> [String] {
        try names(in: root + "/statuses").filter { $0.hasPrefix("dt=") }
            .map { String($0.dropFirst("dt=".count)) }
    }

    func objects(of day: String) throws(LakeReadError) -> [StoredObject] {
        let partition = "statuses/dt=\(day)"
        var objects: [StoredObject] = []
        for hour in try names(in: "\(root)/\(partition)") where hour.hasPrefix("hour=") {
            for file in try names(in: "\(root)/\(partition)/\(hour)") where !file.hasPrefix(".") {
                let name = "\(partition)/\(hour)/\(file)"
                // It may have been moved away meanwhile; then it is no object either.
                guard let byteCount = try byteCount(of: name) else { continue }
                objects.append(StoredObject(name: name, byteCount: byteCount))
            }
        }
        return objects
    }

    /// Objects that lie in the directory itself, as they do in a spool.
    func files() throws(LakeReadError) -> [StoredObject] {
        var files: [StoredObject] = []
        for name in try names(in: root) where ObjectNameParts.isObject(name) {
            guard let byteCount = try byteCount(of: name) else { continue }
            files.append(StoredObject(name: name, byteCount: byteCount))
        }
        return files
    }

    func byteCount(of name: String) throws(LakeReadError) -> Int? {
        var facts = stat()
        guard stat("\(root)/\(name)", &facts) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw Self.error(SystemError(call: "stat", code: errno, path: "\(root)/\(name)"))
            }
            return nil
        }
        return facts.st_mode & S_IFMT == S_IFREG ? Int(facts.st_size) : nil
    }

    func read(
        _ object: StoredObject,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LakeReadError) {
        try Self.read(file: "\(root)/\(object.name)", body)
    }

    /// Reads a file piece by piece.
    static func read(
        file path: String,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LakeReadError) {
        do throws(SystemError) {
            let raw = try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) }
            let file = Descriptor(adopting: raw)
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)
            defer { piece.deallocate() }

            while true {
                let count = try systemCall("read", path: path) {
                    Glibc.read(file.rawValue, piece.baseAddress, piece.count)
                }
                if count == 0 { break }
                body(UnsafeRawBufferPointer(rebasing: piece.prefix(count)))
            }
        } catch {
            throw Self.error(error)
        }
    }

    /// Sorted as S3 sorts, by bytes; empty where there is no such directory.
    private func names(in directory: String) throws(LakeReadError) -> [String] {
        guard let stream = opendir(directory) else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw Self.error(SystemError(call: "opendir", code: errno, path: directory))
            }
            return []
        }
        defer { closedir(stream) }

        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func error(_ error: SystemError) -> LakeReadError {
        LakeReadError("\(error)", isMissing: error.code == ENOENT)
    }
}
