/// Reads rows out of single pages, without the tree above them.
///
/// Where the root of a table, or the schema, is damaged SQLite finds nothing, though the leaves are
/// whole. A leaf of a table says what it is, and each of its rows carries its id and its types
/// (https://www.sqlite.org/fileformat2.html#b_tree_pages, #record_format).
struct PageReader {
    /// A value as it is stored.
    enum Value: Equatable {
        case null
        case integer(Int64)
        case real
        case text([UInt8])
        case blob([UInt8])
    }

    /// Fetches a page by its number, from 1; nil where there is none.
    let page: (UInt32) -> [UInt8]?
    /// Bytes of a page; none of ours are reserved.
    let size: Int

    /// Longest chain of pages that is followed: a body has at most 64 MiB.
    private static let chainCountMax = 4_096

    /// The rows of one page; none where it is no leaf of a table.
    func rows(in bytes: [UInt8], isFirst: Bool) -> [(id: Int64, values: [Value])] {
        let start = isFirst ? 100 : 0
        guard bytes.count == size, bytes[start] == 0x0D else { return [] }
        let count = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
        guard start + 8 + 2 * count <= size else { return [] }
        return (0..<count).compactMap { index in
            let place = start + 8 + 2 * index
            return row(in: bytes, at: Int(bytes[place]) << 8 | Int(bytes[place + 1]))
        }
    }

    private func row(in bytes: [UInt8], at offset: Int) -> (id: Int64, values: [Value])? {
        var cursor = offset
        guard let length = Self.varint(bytes, &cursor), let id = Self.varint(bytes, &cursor),
            length > 0, length < Int64(size) * Int64(Self.chainCountMax),
            let payload = payload(in: bytes, at: cursor, count: Int(length)),
            let values = Self.values(of: payload)
        else { return nil }
        return (id, values)
    }

    private func payload(in bytes: [UInt8], at start: Int, count: Int) -> [UInt8]? {
        let most = size - 35
        let least = (size - 12) * 32 / 255 - 23
        let wanted = least + (count - least) % (size - 4)
        let local = count <= most ? count : wanted <= most ? wanted : least
        guard start + local + (local < count ? 4 : 0) <= bytes.count else { return nil }
        var payload = Array(bytes[start..<start + local])
        guard local < count else { return payload }
        var next = Self.word(bytes, start + local)
        for _ in 0..<Self.chainCountMax where payload.count < count {
            guard next > 0, let overflow = page(next), overflow.count == size else { return nil }
            payload += overflow[4..<min(size, 4 + count - payload.count)]
            next = Self.word(overflow, 0)
        }
        return payload.count == count ? payload : nil
    }

    /// The values of a record; nil where its header contradicts its length.
    static func values(of record: [UInt8]) -> [Value]? {
        var cursor = 0
        guard let headerCount = varint(record, &cursor), headerCount <= record.count else {
            return nil
        }
        var body = Int(headerCount)
        var values: [Value] = []
        while cursor < Int(headerCount) {
            guard let type = varint(record, &cursor), let width = width(of: type),
                body + width <= record.count
            else { return nil }
            values.append(value(of: type, Array(record[body..<body + width])))
            body += width
        }
        return body == record.count ? values : nil
    }

    private static func width(of type: Int64) -> Int? {
        switch type {
        case 0, 8, 9: 0
        case 1...4: Int(type)
        case 5: 6
        case 6, 7: 8
        case 12...Int64(Int32.max): Int((type - 12) / 2)
        default: nil
        }
    }

    private static func value(of type: Int64, _ bytes: [UInt8]) -> Value {
        switch type {
        case 0: .null
        case 1...6:
            .integer(
                bytes.dropFirst().reduce(Int64(Int8(bitPattern: bytes[0]))) { $0 << 8 | Int64($1) })
        case 7: .real
        case 8: .integer(0)
        case 9: .integer(1)
        default: type % 2 == 0 ? .blob(bytes) : .text(bytes)
        }
    }

    // https://www.sqlite.org/fileformat2.html#varint
    private static func varint(_ bytes: [UInt8], _ cursor: inout Int) -> Int64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard bytes.indices.contains(cursor) else { return nil }
            let byte = bytes[cursor]
            cursor += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 { return Int64(bitPattern: value) }
        }
        return nil
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
