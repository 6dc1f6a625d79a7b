import Base
import CSQLite
import Glibc

extension Salvage {
    /// What stands on single pages: webhooks that were not read, and rows in the lost ranges.
    ///
    /// The newest version of a page comes first, so that the frames of the WAL go before the
    /// database.
    ///
    /// - Parameter path: the private copy; reading it drops locks that nobody else waits for.
    /// - Throws: ``QueueError/file(_:)``, and what the target refuses.
    public func savePages(ofCopyAt path: String) throws(QueueError) {
        let pages = try PageStore(path: path)
        let reader = PageReader(page: { try? pages.newest($0) }, size: pages.pageByteCount)
        let cursor = try target.connection.scalar("select min(cursor) from consumer") ?? 0
        var saved: [String: Int] = [:]
        try target.connection.write { () throws(QueueError) in
            for place in pages.places {
                guard let bytes = try pages.bytes(at: place) else { continue }
                for row in reader.rows(in: bytes, isFirst: place.isFirstPage) {
                    guard let table = Self.table(of: row.values),
                        isWanted(row.id, of: table, cursor: cursor)
                    else { continue }
                    saved[table, default: 0] += try insert(row, into: table)
                }
            }
        }
        for (table, count) in saved where count > 0 { note(count, in: table) }
    }

    /// Which table a row is of, by the types of its values; nil for those that are not looked for.
    private static func table(of values: [PageReader.Value]) -> String? {
        guard values.first == .null else { return nil }
        switch values.count {
        case 2:
            guard case .blob = values[1] else { return nil }
            return "delivery_body"
        case 9...:
            guard case .integer = values[1] else {
                guard values.count >= 29, case .text = values[1], case .text = values[17] else {
                    return nil
                }
                return "delivery"
            }
            guard case .text(let signature) = values[2], case .blob = values[8],
                signature.starts(with: Array("sha256=".utf8))
            else { return nil }
            return "webhook"
        default:
            return nil
        }
    }

    /// Deleted rows may stand on pages that nothing uses any more: only what was lost is wanted.
    private func isWanted(_ id: Int64, of table: String, cursor: Int64) -> Bool {
        guard id > 0 else { return false }
        if table == "webhook" { return id > cursor }
        // A delivery without its body, or the other way, is lost as a whole.
        let names = ["delivery", "delivery_body"]
        return tables.contains { saved in
            names.contains(saved.name) && saved.lost.contains { $0.contains(id) }
        }
    }

    private func insert(
        _ row: (id: Int64, values: [PageReader.Value]), into table: String
    ) throws(QueueError) -> Int {
        let columns = try target.connection.statement("select name from pragma_table_info(?1)")
        defer { columns.reset() }

        columns.bind(1, table)
        var names: [String] = []
        while names.count < row.values.count, try columns.step() { names.append(columns.text(0)) }
        let places = (1...names.count).map { "?\($0)" }.joined(separator: ", ")
        // Names of our own schema, never values.
        let sql = SQL(
            text: "insert or ignore into \(table) (\(names.joined(separator: ", "))) "
                + "values (\(places))")
        let insert = try target.connection.statement(sql)
        insert.bind(1, row.id)
        for index in names.indices.dropFirst() {
            insert.bind(Int32(index + 1), row.values[index])
        }
        do throws(QueueError) {
            try insert.run()
        } catch {
            guard case .sqlite(let problem) = error, problem.code & 0xFF == SQLITE_CONSTRAINT else {
                throw error
            }
            return 0
        }
        return target.connection.changeCount
    }

    private func note(_ count: Int, in table: String) {
        for index in tables.indices where tables[index].name == table {
            tables[index].rowCount += count
        }
    }
}

extension Statement {
    fileprivate func bind(_ index: Int32, _ value: PageReader.Value) {
        switch value {
        case .null, .real: bindNull(index)
        case .integer(let number): bind(index, number)
        case .text(let bytes): bind(index, String(decoding: bytes, as: UTF8.self))
        case .blob(let bytes): bind(index, blob: bytes)
        }
    }
}

/// The pages of a database file and its WAL, without SQLite.
final class PageStore {
    /// As the file says, or its WAL where its own first page is damaged.
    let pageByteCount: Int

    /// Where a version of a page stands.
    struct Place {
        let isInWAL: Bool
        let offset: Int
        let isFirstPage: Bool
    }

    private let database: Descriptor
    /// The same file again where there is no WAL: nothing is looked for in it then.
    private let wal: Descriptor
    private let hasWAL: Bool
    private let databaseByteCount: Int
    /// Of each page the offset of its last frame that carries the WAL's salt.
    private var frames: [UInt32: Int] = [:]
    private var frameOffsets: [(page: UInt32, offset: Int)] = []

    private static let walHeaderByteCount = 32
    private static let frameHeaderByteCount = 24

    init(path: String) throws(QueueError) {
        do throws(SystemError) {
            database = Descriptor(
                adopting: try systemCall("open", path: path) { open(path, O_RDONLY | O_CLOEXEC) })
            hasWAL = FileFacts.exists(path + "-wal")
            let walPath = hasWAL ? path + "-wal" : path
            wal = Descriptor(
                adopting: try systemCall("open", path: walPath) {
                    open(walPath, O_RDONLY | O_CLOEXEC)
                })
        } catch {
            throw .file(error)
        }
        databaseByteCount = FileFacts.byteCount(path)
        pageByteCount = try Self.pageByteCount(database.rawValue, wal.rawValue, hasWAL: hasWAL)
        try findFrames(walByteCount: FileFacts.byteCount(path + "-wal"))
    }

    /// What this release makes, for a file that cannot say.
    private static let usualPageByteCount = 8_192

    private static func pageByteCount(
        _ database: Int32, _ wal: Int32, hasWAL: Bool
    ) throws(QueueError) -> Int {
        var claims: [Int] = []
        // https://www.sqlite.org/fileformat2.html#the_database_header, #wal_file_format
        if let bytes = try read(database, 16, 2) {
            claims.append(Int(bytes[0]) << 8 | Int(bytes[1]))
        }
        if hasWAL, let bytes = try read(wal, 8, 4) {
            claims.append(bytes.reduce(0) { $0 << 8 | Int($1) })
        }
        let isPossible = { (size: Int) in size >= 512 && size <= 32_768 && size & (size - 1) == 0 }
        return claims.first(where: isPossible) ?? usualPageByteCount
    }

    /// Every version of every page, the newest first.
    var places: [Place] {
        let written = frameOffsets.reversed().map {
            Place(isInWAL: true, offset: $0.offset, isFirstPage: $0.page == 1)
        }
        let stored = stride(from: 0, to: databaseByteCount, by: pageByteCount).map {
            Place(isInWAL: false, offset: $0, isFirstPage: $0 == 0)
        }
        return written + stored
    }

    func newest(_ page: UInt32) throws(QueueError) -> [UInt8]? {
        guard page > 0 else { return nil }
        if let offset = frames[page] {
            return try bytes(at: Place(isInWAL: true, offset: offset, isFirstPage: page == 1))
        }
        let offset = (Int(page) - 1) * pageByteCount
        return try bytes(at: Place(isInWAL: false, offset: offset, isFirstPage: page == 1))
    }

    /// - Returns: nil where the file ends before the page does.
    func bytes(at place: Place) throws(QueueError) -> [UInt8]? {
        let raw = place.isInWAL ? wal.rawValue : database.rawValue
        return try Self.read(raw, place.offset, pageByteCount)
    }

    /// Frames whose salt is the header's, whatever their checksums say.
    private func findFrames(walByteCount: Int) throws(QueueError) {
        let raw = wal.rawValue
        guard hasWAL, let header = try Self.read(raw, 0, Self.walHeaderByteCount) else { return }
        let salt = header[16..<24]
        let step = Self.frameHeaderByteCount + pageByteCount
        var offset = Self.walHeaderByteCount
        while offset + step <= walByteCount {
            if let frame = try Self.read(raw, offset, Self.frameHeaderByteCount),
                frame[8..<16].elementsEqual(salt)
            {
                let page = frame[0..<4].reduce(0) { $0 << 8 | UInt32($1) }
                frames[page] = offset + Self.frameHeaderByteCount
                frameOffsets.append((page, offset + Self.frameHeaderByteCount))
            }
            offset += step
        }
    }

    private static func read(
        _ descriptor: Int32, _ offset: Int, _ count: Int
    ) throws(QueueError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        do throws(SystemError) {
            let got = try systemCall("pread") { pread(descriptor, &bytes, count, off_t(offset)) }
            return got == count ? bytes : nil
        } catch {
            throw .file(error)
        }
    }
}
