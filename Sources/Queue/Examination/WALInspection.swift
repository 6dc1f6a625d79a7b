import Base
import Glibc

/// Reads a WAL without SQLite, to tell a torn end from damage in its middle.
///
/// SQLite reads a WAL up to the first frame whose checksum is wrong, and takes that for the end
/// (https://www.sqlite.org/fileformat2.html#wal_file_format): commits behind a damaged frame are
/// gone without a word. But frames carry a running checksum, so one that goes on from what the
/// damaged frame says of itself was written after it, and after it was whole.
public struct WALInspection: Sendable, Equatable {
    /// Frames from the start whose checksums are right.
    public var soundFrameCount = 0
    /// Commits behind the first wrong frame: SQLite does not read them.
    public var unreadCommitCount = 0
    /// Tells one life of a WAL file from the next: 8 bytes, in hex digits.
    public var salt = ""

    /// Whether commits stand behind damage.
    ///
    /// After a power cut that may be what nobody had synced yet, and nobody had acknowledged. At
    /// any other time it is damage, and may hide what was acknowledged.
    public var isBroken: Bool { unreadCommitCount > 0 }

    private static let headerByteCount = 32
    private static let frameHeaderByteCount = 24

    /// Reads the WAL of a queue; blocks for reading the file once.
    ///
    /// Locks are not dropped by it: SQLite's stand on the database, not on its WAL.
    ///
    /// - Returns: an inspection that found nothing where there is no WAL, or an empty one.
    /// - Throws: ``QueueError/file(_:)``.
    public static func run(_ location: QueueLocation) throws(QueueError) -> WALInspection {
        let path = location.walPath
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else {
            guard errno == ENOENT else {
                throw .file(SystemError(call: "open", code: errno, path: path))
            }
            return WALInspection()
        }
        let file = Descriptor(adopting: raw)
        var reader = Reader()
        var offset = 0
        var count = headerByteCount
        while let bytes = try read(file.rawValue, offset, count, path), reader.take(bytes) {
            offset += count
            count = frameHeaderByteCount + reader.pageByteCount
        }
        return reader.inspection
    }

    private static func read(
        _ descriptor: Int32, _ offset: Int, _ count: Int, _ path: String
    ) throws(QueueError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        do throws(SystemError) {
            let got = try systemCall("pread", path: path) {
                pread(descriptor, &bytes, count, off_t(offset))
            }
            return got == count ? bytes : nil
        } catch {
            throw .file(error)
        }
    }

    /// Takes in the header, then frame after frame; pure.
    struct Reader {
        var inspection = WALInspection()
        private(set) var pageByteCount = 0
        private var isBigEndian = false
        private var salt: ArraySlice<UInt8> = []
        private var sum = Checksum()
        /// What the frame before said of itself, where its checksum was wrong.
        private var claims: [Checksum] = []

        /// - Returns: false where nothing that belongs to this life of the file can follow.
        mutating func take(_ bytes: [UInt8]) -> Bool {
            if salt.isEmpty { return takeHeader(bytes) }
            guard bytes[8..<16].elementsEqual(salt) else { return false }
            let stored = Checksum(
                first: Self.word(bytes, 16, bigEndian: true),
                second: Self.word(bytes, 20, bigEndian: true))
            let isCommit = Self.word(bytes, 4, bigEndian: true) != 0
            if claims.isEmpty {
                let computed = checksum(of: bytes, from: sum)
                if computed == stored {
                    inspection.soundFrameCount += 1
                    sum = stored
                    return true
                }
                // Its content or its checksum is wrong: the next goes on from one or the other.
                claims = [stored, computed]
                return true
            }
            let follows = claims.contains { checksum(of: bytes, from: $0) == stored }
            if follows, isCommit { inspection.unreadCommitCount += 1 }
            claims = follows ? [stored] : claims + [stored]
            // Beyond some frames that fit nowhere there is nothing left to learn.
            return claims.count < 8
        }

        private mutating func takeHeader(_ bytes: [UInt8]) -> Bool {
            let magic = Self.word(bytes, 0, bigEndian: true)
            guard magic & ~1 == 0x377F_0682 else { return false }
            isBigEndian = magic & 1 == 1
            pageByteCount = Int(Self.word(bytes, 8, bigEndian: true))
            guard (512...65_536).contains(pageByteCount) else { return false }
            salt = bytes[16..<24]
            inspection.salt = salt.map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
            sum.add(bytes[0..<24], bigEndian: isBigEndian)
            return true
        }

        private func checksum(of frame: [UInt8], from start: Checksum) -> Checksum {
            var sum = start
            sum.add(frame[0..<8], bigEndian: isBigEndian)
            sum.add(frame[24...], bigEndian: isBigEndian)
            return sum
        }

        static func word(_ bytes: [UInt8], _ offset: Int, bigEndian: Bool) -> UInt32 {
            let word = bytes.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            }
            return bigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
        }
    }

    /// The running checksum of a WAL: two words, over pairs of words.
    struct Checksum: Equatable {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: ArraySlice<UInt8>, bigEndian: Bool) {
            bytes.withUnsafeBytes { bytes in
                var offset = 0
                while offset + 8 <= bytes.count {
                    let left = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    let right = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    first &+= second &+ (bigEndian ? left.bigEndian : left.littleEndian)
                    second &+= first &+ (bigEndian ? right.bigEndian : right.littleEndian)
                    offset += 8
                }
            }
        }
    }
}

/// A WAL with commits that SQLite does not read, and the copy that was kept of it.
public struct DamagedWAL: Sendable, Equatable {
    /// Where the copy is.
    public let copyPath: String
    /// Commits behind the damage.
    public let unreadCommitCount: Int
}

extension QueueSession {
    /// Looks at the WAL before SQLite does, and keeps a copy where commits stand behind damage.
    ///
    /// To be called before the first session of a process is opened.
    ///
    /// - Parameters:
    ///   - location: whose WAL.
    ///   - gate: held meanwhile, so that nobody writes.
    /// - Returns: `nil` where nothing is wrong.
    /// - Throws: ``QueueError/file(_:)``; the queue is as it was.
    public static func keepDamagedWAL(
        _ location: QueueLocation, gate: Gate
    ) throws(QueueError) -> DamagedWAL? {
        gate.lock()
        defer { gate.unlock() }

        let inspection = try WALInspection.run(location)
        guard inspection.isBroken else { return nil }
        return DamagedWAL(
            copyPath: try inspection.keepCopy(of: location),
            unreadCommitCount: inspection.unreadCommitCount)
    }
}

extension QueueSession {
    /// Reads the WAL while nobody writes; blocks all writers for as long as that takes.
    public func inspectWALHoldingGate() throws(QueueError) -> WALInspection {
        connection.gate.lock()
        defer { connection.gate.unlock() }

        return try WALInspection.run(location)
    }
}

extension WALInspection {
    /// Copies of broken WALs that were kept beside a queue.
    public static func copies(of location: QueueLocation) -> [String] {
        guard let directory = opendir(location.directory) else { return [] }
        defer { closedir(directory) }

        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let path = location.directory + "/" + name
            if path.hasPrefix(location.walPath + ".damaged-") { found.append(path) }
        }
        return found.sorted()
    }

    /// Keeps a copy of a broken WAL beside the queue, for `pipelinectl salvage`, before SQLite
    /// writes over what it does not read.
    ///
    /// - Returns: its path, the same for the same life of the file; it is not made twice.
    /// - Throws: ``QueueError/file(_:)``, a full disk say.
    public func keepCopy(of location: QueueLocation) throws(QueueError) -> String {
        let target = "\(location.walPath).damaged-\(salt)"
        if FileFacts.exists(target) { return target }
        do throws(SystemError) {
            let byteCount = FileFacts.byteCount(location.walPath)
            let bytes = try SmallFile.read(location.walPath, byteCountMax: byteCount)
            try DurableFile.write(bytes, to: target)
        } catch {
            throw .file(error)
        }
        return target
    }
}
