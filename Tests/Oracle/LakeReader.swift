import CZlib
import Foundation
import Synchronization

/// Reads the objects of a file lake as they appear, each once, and tells the ledger their lines.
public final class LakeReader: Sendable {
    private let path: String
    private let ledger: Ledger
    private let known = Mutex<Set<String>>([])

    /// `path` is the lake's directory, which may not be there yet, or for a while.
    public init(path: String, ledger: Ledger) {
        self.path = path
        self.ledger = ledger
    }

    /// Reads what is new.
    public func look() {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        for name in names.sorted() {
            let last = name.split(separator: "/").last ?? ""
            guard last.hasSuffix(".ndjson.gz"), !last.hasPrefix("."),
                known.withLock({ $0.insert(name).inserted })
            else { continue }
            read(name)
        }
    }

    private func read(_ name: String) {
        guard let data = FileManager.default.contents(atPath: path + "/" + name),
            let text = Self.unpack([UInt8](data)), text.last == UInt8(ascii: "\n")
        else { return ledger.violate("\(name) is no whole object") }
        for line in text.dropLast().split(separator: UInt8(ascii: "\n")) { check(line, in: name) }
    }

    private func check(_ line: ArraySlice<UInt8>, in name: String) {
        guard
            let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
            let id = object["id"] as? String, let event = Load.Event(id: id)
        else { return ledger.violate("\(name) holds a line that was never sent") }
        // The status as it came, behind the keys that the lake puts in front.
        if !line.suffix(event.element.utf8.count - 1).elementsEqual(event.element.utf8.dropFirst())
        {
            ledger.violate("\(id): the lake has other bytes than were sent")
        }
        ledger.stands(inLake: event)
    }

    private static func unpack(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard czlib_gunzip_init(&stream) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }

        var input = bytes
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 262_144)
        let room = buffer.count
        return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            var code = Z_OK
            while code == Z_OK {
                code = buffer.withUnsafeMutableBufferPointer { buffer in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(room)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                output += buffer[..<(room - Int(stream.avail_out))]
            }
            return code == Z_STREAM_END ? output : nil
        }
    }
}
