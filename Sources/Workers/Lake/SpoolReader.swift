import Base
import Glibc

/// Reads a sealed object's bytes from its spool file, and checks them against the books.
///
/// A file that is missing, or not the bytes that were sealed, is never shipped: that is
/// ``LakeError/Kind/spoolFault``.
enum SpoolReader {
    /// Read at once; the memory of a shipment.
    static let pieceByteCountMax = 262_144

    /// Hands the object's bytes on, piece by piece, and then says whether they were the right ones.
    ///
    /// What was handed on counts for nothing where this throws.
    ///
    /// - Parameters:
    ///   - object: what the books say.
    ///   - sink: takes a piece, valid during the call only.
    /// - Throws: ``LakeError``, of the kind `spoolFault` where file and books differ.
    static func read(
        _ object: SealedObject,
        into sink: (UnsafeRawBufferPointer) throws(LakeError) -> Void
    ) throws(LakeError) {
        let file = try open(object)
        let digest = ObjectDigest()
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: pieceByteCountMax, alignment: 16)
        defer { buffer.deallocate() }

        var byteCount = 0
        while true {
            let count = try readPiece(of: file, into: buffer, path: object.path)
            guard count > 0 else { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            byteCount += count
            guard byteCount <= object.byteCount else { break }
            digest.update(piece)
            try sink(piece)
        }
        guard byteCount == object.byteCount, digest.finishHex() == object.sha256 else {
            throw altered(object)
        }
    }

    /// Looks only whether the file is there and of the right size; reads nothing.
    static func checkSize(_ object: SealedObject) throws(LakeError) {
        let file = try open(object)
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else {
            throw LakeError(.unavailable, "\(SystemError(call: "fstat", code: errno))")
        }
        guard Int(status.st_size) == object.byteCount else { throw altered(object) }
    }

    private static func altered(_ object: SealedObject) -> LakeError {
        LakeError(
            .spoolFault, "the spool file \(object.path) is not what was sealed",
            hint: "restore it from a backup of the spool directory; it is not shipped as it is")
    }

    private static func open(_ object: SealedObject) throws(LakeError) -> Descriptor {
        do throws(SystemError) {
            return Descriptor(
                adopting: try systemCall("open", path: object.path) {
                    Glibc.open(object.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                })
        } catch {
            guard error.code == ENOENT || error.code == ELOOP else {
                throw LakeError(.unavailable, "\(error)")
            }
            throw LakeError(
                .spoolFault, "the spool file \(object.path) is missing",
                hint: "restore it from a backup of the spool directory; its statuses are sealed "
                    + "and no longer in the log")
        }
    }

    private static func readPiece(
        of file: borrowing Descriptor,
        into buffer: UnsafeMutableRawBufferPointer,
        path: String
    ) throws(LakeError) -> Int {
        let descriptor = file.rawValue
        do throws(SystemError) {
            return try systemCall("read", path: path) {
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
        } catch {
            throw LakeError(.unavailable, "\(error)")
        }
    }
}
