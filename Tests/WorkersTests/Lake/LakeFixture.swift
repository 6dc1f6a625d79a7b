import Base
import CZlib
import Foundation
import Glibc
import Queue
import TestSupport

@testable import Workers

/// A queue and a lake of one test's own, with what stands between them.
final class LakeFixture {
    /// When the tests' webhooks are received: half past an hour.
    static let noon = Timestamp(rawValue: 1_790_080_200_000)

    let directory: TemporaryDirectory
    let location: QueueLocation
    let gate: Gate
    let session: QueueSession
    let health = LakeHealth()
    let registry = MetricsRegistry()
    let metrics: LakeMetrics

    convenience init() throws { try self.init(directory: TemporaryDirectory()) }

    private init(directory: TemporaryDirectory) throws {
        self.directory = directory
        location = QueueLocation(path: directory.file("queue.db"))
        gate = try QueueSession.openGate(location, as: .ingest)
        session = try QueueSession.open(location, gate: gate, as: .ingest)
        metrics = LakeMetrics(registry, health: health)
    }

    /// The same queue and spool in another place, as a copy of the machine's disk has them.
    func cloned() throws -> LakeFixture {
        let copy = try TemporaryDirectory()
        // All that is committed stands in the one file then.
        try session.checkpoint(.truncate)
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: directory.path)
        where name == "queue.db" || name.hasSuffix(".spool") {
            try files.copyItem(atPath: directory.file(name), toPath: copy.file(name))
        }
        return try LakeFixture(directory: copy)
    }

    var lakePath: String { directory.file("lake") }
    var spool: SpoolDirectory { SpoolDirectory(path: location.spoolDirectory) }

    var settings: LakeSettings { LakeSettings(lake: .directory(path: lakePath)) }

    func makeSealer(
        _ settings: LakeSettings? = nil,
        room: SealingRoom? = nil
    ) throws -> Sealer {
        Sealer(
            session: try QueueSession.open(location, gate: gate, as: .lake),
            settings: settings ?? self.settings, health: health, metrics: metrics, room: room)
    }

    func makeShipper(
        to lake: (any ObjectLake)? = nil,
        backoff: LakeBackoff = LakeBackoff()
    ) throws -> Shipper {
        Shipper(
            session: try QueueSession.open(location, gate: gate, as: .lake),
            lake: lake ?? FileLake(root: lakePath), backoff: backoff, health: health,
            metrics: metrics, log: .disabled)
    }

    /// Appends webhooks as ingest does, in one transaction.
    func append(_ bodies: [String], at receivedAt: Timestamp = noon) throws {
        try append(bodies.map { ($0, receivedAt) })
    }

    /// Appends webhooks with times of receipt of their own.
    func append(_ webhooks: [(body: String, receivedAt: Timestamp)]) throws {
        let texts = webhooks.map { Array($0.body.utf8) } + [Array("127.0.0.1".utf8)]
        let bytes = texts.flatMap { $0 }
        try bytes.withUnsafeBytes { all in
            var offset = 0
            let pieces = texts.map { text in
                defer { offset += text.count }
                return UnsafeRawBufferPointer(rebasing: all[offset..<offset + text.count])
            }
            let address = pieces[webhooks.count]
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            gate.lock()
            defer { gate.unlock() }

            try session.log.appendHoldingGate(
                zip(webhooks, pieces).map { webhook, body in
                    PendingWebhook(
                        receivedAt: webhook.receivedAt, body: body, signature256: address,
                        signature1: none, userAgent: none, contentType: none,
                        remoteAddress: address, secretFingerprint: address)
                })
        }
    }

    /// Turns until nothing waits, at a time when no batch is old enough to close.
    func drain(_ sealer: Sealer, now: Timestamp = noon, uptime: Duration = .zero) throws {
        while try sealer.turn(now: now, uptime: uptime) == .again {}
    }

    /// Ships until nothing is left to ship.
    @discardableResult
    func ship(_ shipper: Shipper, uptime: Duration = .zero) throws -> Shipper.Turn {
        while true {
            let turn = try shipper.turn(uptime: uptime, jitter: 0)
            guard turn == .again else { return turn }
        }
    }

    /// Seals and ships all there is, with threads' worth of fresh state.
    func drainAndShip() throws {
        let sealer = try makeSealer()
        try drain(sealer)
        try sealer.finish()
        try ship(makeShipper())
    }

    func unshipped() throws -> [SealedBatch] { try session.lake.unshippedBatches() }

    /// The names of the objects in the lake, sorted; unfinished files are not objects.
    func objectNames() throws -> [String] {
        try Files.below(lakePath).filter { !$0.hasSuffix(".tmp") }.sorted()
    }

    /// The lines of all objects in the lake.
    func lakeLines() throws -> [String] {
        try objectNames().flatMap { try Files.lines(of: "\(lakePath)/\($0)") }
    }

    /// The lines of all spool files.
    func spooledLines() throws -> [String] {
        try spool.objectNames().flatMap { try Files.lines(of: spool.path(ofObject: $0)) }
    }
}

/// Webhook bodies as WhatsApp shapes them, with made-up numbers.
enum Body {
    /// One status object; equal arguments give equal bytes.
    static func status(
        _ name: String,
        _ kind: String = "sent",
        at seconds: Int64 = LakeFixture.noon.seconds
    ) -> String {
        """
        {"id":"wamid.\(name)","status":"\(kind)","timestamp":"\(seconds)",\
        "recipient_id":"15550002222"}
        """
    }

    /// A webhook with these status objects.
    static func statuses(_ objects: [String]) -> String {
        value("\"statuses\":[\(objects.joined(separator: ","))]")
    }

    /// A webhook with one status.
    static func one(_ name: String, _ kind: String = "sent") -> String {
        statuses([status(name, kind)])
    }

    /// A webhook with one text message.
    static func message(_ name: String) -> String {
        value(
            """
            "messages":[{"from":"15550002222","id":"wamid.\(name)","timestamp":"1790080200",\
            "type":"text","text":{"body":"hello"}}]
            """)
    }

    private static func value(_ rest: String) -> String {
        """
        {"object":"whatsapp_business_account","entry":[{"id":"4001","changes":[{"value":\
        {"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550001111",\
        "phone_number_id":"5001"},\(rest)},"field":"messages"}]}]}
        """
    }

    /// The name of the status on a line of the lake, with its kind: `a/sent`.
    static func name(ofLine line: String) -> String {
        "\(text(after: "\"id\":\"wamid.", in: line))/\(text(after: "\"status\":\"", in: line))"
    }

    private static func text(after mark: String, in line: String) -> String {
        let pieces = line.split(separator: mark, maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces.count == 2 else { return "?" }
        return String(pieces[1].prefix { $0 != "\"" })
    }
}

/// What a test reads of files.
enum Files {
    struct Failure: Error { let what: String }

    static func bytes(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Failure(what: path) }
        defer { fclose(file) }

        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer.prefix(count)
        }
        return bytes
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure(what: path) }
        defer { fclose(file) }

        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Failure(what: path)
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The paths of all files below a directory, relative to it; none where it is missing.
    static func below(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }

        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += try below("\(path)/\(name)").map { "\(name)/\($0)" }
            } else {
                found.append(name)
            }
        }
        return found
    }

    /// The lines of an object, compressed or not; the last must end.
    static func lines(of path: String) throws -> [String] {
        let stored = try bytes(path)
        let plain = path.hasSuffix(".gz") ? try gunzip(stored) : stored
        guard plain.last == UInt8(ascii: "\n") else { throw Failure(what: "\(path): cut short") }
        return plain.dropLast().split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        )
        .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Takes a gzip stream of one member apart; what follows it is a failure.
    static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        return try withUnsafeMutablePointer(to: &stream) { stream in
            guard czlib_gunzip_init(stream) == Z_OK else { throw Failure(what: "zlib") }
            defer { inflateEnd(stream) }

            var input = bytes
            var plain: [UInt8] = []
            var output = [UInt8](repeating: 0, count: 65_536)
            try input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                var result = Z_OK
                while result == Z_OK {
                    try output.withUnsafeMutableBufferPointer { output in
                        stream.pointee.next_out = output.baseAddress
                        stream.pointee.avail_out = UInt32(output.count)
                        result = inflate(stream, Z_NO_FLUSH)
                        guard result == Z_OK || result == Z_STREAM_END else {
                            throw Failure(what: "not gzip: \(result)")
                        }
                        plain += output.prefix(output.count - Int(stream.pointee.avail_out))
                    }
                }
                guard stream.pointee.avail_in == 0 else { throw Failure(what: "bytes behind gzip") }
            }
            return plain
        }
    }
}
