import AWS
import Base

/// A lake behind a delivery stream: `LAKE_URL=firehose://stream`.
///
/// Firehose keeps no names, so a batch goes as lines, and each line at least once: after each
/// request whose records were all taken the books note how many lines have gone, without a sync of
/// their own, and a crash repeats the one request whose answer they do not know. Doubles have one
/// `event_key`.
///
/// Records that Firehose did not take are kept here and sent again alone; other lines wait behind
/// them.
final class FirehoseLake: ObjectLake {
    /// What the books know of a batch that is under way.
    struct Progress {
        /// Lines at the front of an object that Firehose has.
        let load: (_ objectName: String) throws(LakeError) -> Int
        let store: (_ objectName: String, _ lineCount: Int) throws(LakeError) -> Void
    }

    /// A request that is not through.
    private struct Pending {
        var records: [[UInt8]]
        /// Lines of the object up to its end.
        let lineCount: Int
    }

    /// A batch that is under way, from one `put` to the next.
    private struct Underway {
        let name: String
        let lines: SpoolLines
        var packer: RecordPacker
        var pending: Pending?
        var isAtEnd = false
    }

    let client: FirehoseClient
    private let progress: Progress
    private let limits: RecordPacker.Limits
    private var underway: Underway?

    init(client: FirehoseClient, progress: Progress, limits: RecordPacker.Limits = .init()) {
        self.client = client
        self.progress = progress
        self.limits = limits
    }

    var interrupt: @Sendable () -> Void {
        { [client] in client.stop() }
    }

    func put(_ object: SealedObject) throws(LakeError) {
        var underway = try resume(object)
        defer { self.underway = underway }

        CrashPoint.reached(.insidePut)
        while true {
            if underway.pending == nil { underway.pending = try next(&underway) }
            guard let pending = underway.pending else { break }
            underway.pending?.records = try send(pending.records)
            guard underway.pending?.records.isEmpty ?? true else { continue }
            CrashPoint.reached(.afterRequest)
            underway.pending = nil
            try progress.store(object.name, pending.lineCount)
        }
        underway.isAtEnd = true
    }

    /// Goes on where the last `put` of the same object failed, or where the books say.
    private func resume(_ object: SealedObject) throws(LakeError) -> Underway {
        if let underway, underway.name == object.name, !underway.isAtEnd { return underway }
        // All of it is looked at before any of it goes.
        try SpoolReader.read(object) { _ in }
        let lines = try SpoolLines(object)
        let sent = try progress.load(object.name)
        for _ in 0..<sent { _ = try lines.next() }
        return Underway(
            name: object.name, lines: lines, packer: RecordPacker(limits, lineCount: sent))
    }

    private func next(_ underway: inout Underway) throws(LakeError) -> Pending? {
        while let line = try underway.lines.next() {
            guard line.count <= limits.recordByteCountMax else { throw Self.tooLong(line.count) }
            if let full = underway.packer.add(line) {
                return Pending(records: full.records, lineCount: full.lineCount)
            }
        }
        return underway.packer.finish().map {
            Pending(records: $0.records, lineCount: $0.lineCount)
        }
    }

    /// - Returns: what was not taken.
    private func send(_ records: [[UInt8]]) throws(LakeError) -> [[UInt8]] {
        let failed: [Int]
        do throws(AWSError) {
            failed = try client.put(records)
        } catch {
            throw LakeError(error)
        }
        // None taken: the stream is at its limit, and asking at once would not help.
        guard failed.count < records.count else {
            throw LakeError(
                .unavailable, "PutRecordBatch took none of \(records.count) records",
                hint: "the stream is at its limit: have its quota raised, or use s3:")
        }
        return failed.map { records[$0] }
    }

    private static func tooLong(_ byteCount: Int) -> LakeError {
        LakeError(
            .unshippable,
            "a status of \(byteCount) bytes is longer than a record of Firehose may be",
            hint: "ship this batch with LAKE_URL=s3:// or file:, which know no such limit")
    }
}

/// Packs lines into records, and records into requests, as large as they may be.
///
/// Firehose bills each record in steps of 5 KB, so few large records cost less than many small
/// ones.
struct RecordPacker {
    /// Bounds of one request; Firehose's own unless a test says otherwise.
    struct Limits: Sendable {
        var recordCountMax = FirehoseClient.recordCountMax
        var recordByteCountMax = FirehoseClient.recordByteCountMax
        var requestByteCountMax = FirehoseClient.requestByteCountMax
        /// What stands around the records, and around each.
        static let requestOverhead = 512
        static let recordOverhead = 12
    }

    /// A request's records, and how many lines of the object lie at or before its end.
    struct Request: Equatable {
        var records: [[UInt8]]
        var lineCount: Int
    }

    private let limits: Limits
    private var records: [[UInt8]] = [[]]
    /// Of the records that are closed, as they travel.
    private var closedByteCount = Limits.requestOverhead
    private var lineCount: Int

    /// - Parameters:
    ///   - limits: bounds.
    ///   - lineCount: lines that have gone before.
    init(_ limits: Limits, lineCount: Int) {
        self.limits = limits
        self.lineCount = lineCount
    }

    /// Adds a line with its end.
    ///
    /// - Returns: the request that had no room for it, where there is one.
    mutating func add(_ line: [UInt8]) -> Request? {
        defer { lineCount += 1 }
        // Only its size: a second reference would have each line copy the record.
        let openByteCount = records[records.count - 1].count
        let joined = openByteCount + line.count
        if joined <= limits.recordByteCountMax,
            closedByteCount + Self.travelling(joined) <= limits.requestByteCountMax
        {
            records[records.count - 1] += line
            return nil
        }
        let closed = closedByteCount + Self.travelling(openByteCount)
        if records.count < limits.recordCountMax,
            closed + Self.travelling(line.count) <= limits.requestByteCountMax
        {
            closedByteCount = closed
            records.append(line)
            return nil
        }
        let full = Request(records: records, lineCount: lineCount)
        records = [line]
        closedByteCount = Limits.requestOverhead
        return full
    }

    /// - Returns: what is left; nil where nothing is.
    mutating func finish() -> Request? {
        guard records != [[]] else { return nil }
        defer { records = [[]] }
        return Request(records: records, lineCount: lineCount)
    }

    /// Bytes of a record in base64, with what stands around it.
    private static func travelling(_ byteCount: Int) -> Int {
        (byteCount + 2) / 3 * 4 + Limits.recordOverhead
    }
}
