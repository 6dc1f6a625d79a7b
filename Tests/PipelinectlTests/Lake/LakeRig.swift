import Base
import Foundation
import Queue
import TestSupport
import WhatsApp

@testable import pipelinectl

/// A queue's books and a lake in a directory, filled by hand, so that each can be made wrong alone.
final class LakeRig {
    let rig: CommandRig
    let lake: String
    private var lastWebhook: Int64 = 0

    static let day = "2026-11-24"

    init() throws {
        rig = try CommandRig()
        lake = rig.directory.file("lake")
        rig.environment["LAKE_URL"] = "file:" + lake
        rig.environment["TMPDIR"] = rig.directory.path
    }

    /// A line with this number as its key.
    static func line(_ key: Int) -> String {
        let digits = String(key, radix: 16)
        let padded = String(repeating: "0", count: 32 - digits.utf8.count) + digits
        return
            #"{"event_key":"\#(padded)","received_at":"2026-11-24T09:00:00.000Z","id":"wamid.A"}"#
            + "\n"
    }

    /// Bytes with the name that they have in the lake.
    struct Object {
        let name: String
        let bytes: [UInt8]
        let firstWebhook: Int64
        let lastWebhook: Int64
        let lineCount: Int

        var sha256: String { LakeRig.sha256(bytes) }
    }

    static func sha256(_ bytes: [UInt8]) -> String {
        let hasher = SHA256Hasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finishHex()
    }

    /// An object of the next webhooks, in nobody's books and not in the lake.
    func object(_ text: String, queueID: String? = nil, day: String = LakeRig.day) -> Object {
        let bytes = Gzip.member(text)
        let first = lastWebhook + 1
        lastWebhook += 3
        let file =
            "\(queueID ?? rig.session.queueID)-\(first)-\(lastWebhook)-"
            + "\(Self.sha256(bytes).prefix(12)).ndjson.gz"
        return Object(
            name: "statuses/dt=\(day)/hour=09/\(file)", bytes: bytes, firstWebhook: first,
            lastWebhook: lastWebhook, lineCount: text.utf8.count { $0 == 0x0A })
    }

    /// Records a batch in the books.
    func seal(_ object: Object, lineCount: Int? = nil) throws {
        let lineCount = lineCount ?? object.lineCount
        let batch = SealedBatch(
            objectName: object.name, sha256: object.sha256, byteCount: object.bytes.count,
            lineCount: lineCount, firstID: WebhookID(rawValue: object.firstWebhook),
            lastID: WebhookID(rawValue: object.lastWebhook), sealedAt: CommandRig.now)
        try rig.session.lake.seal(batch, foundCount: lineCount, doubleCount: 0)
    }

    func markShipped() throws {
        for batch in try rig.session.lake.unshippedBatches(limit: 5_000) {
            try rig.session.lake.markShipped(batch, at: CommandRig.now)
        }
    }

    /// Puts an object into the lake, whatever the books say.
    func put(_ object: Object, bytes: [UInt8]? = nil) throws {
        try write(bytes ?? object.bytes, to: "\(lake)/\(object.name)")
    }

    func spool(_ object: Object, bytes: [UInt8]? = nil) throws {
        let file = object.name.split(separator: "/").last ?? ""
        try write(bytes ?? object.bytes, to: "\(rig.location.spoolDirectory)/\(file)")
    }

    func write(_ bytes: [UInt8], to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// An object that is sealed, shipped, and in the lake.
    @discardableResult
    func ship(_ text: String, day: String = LakeRig.day) throws -> Object {
        let object = object(text, day: day)
        try seal(object)
        try put(object)
        try markShipped()
        return object
    }
}
