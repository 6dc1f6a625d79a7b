import Base
import Queue
import WhatsApp

/// Compares a lake with the queue's books, and reads what is in it.
///
/// Names are walked in one order on both sides, a day of the lake and a page of the books at a
/// time. Both change meanwhile: a batch may be sealed, shipped and forgotten at any moment. So
/// nothing is called wrong before it was looked at once more, the books after the lake.
///
/// Memory: a day's names, one object's longest line, the ledger's limit.
final class LakeVerification {
    private let store: any LakeStore
    private let session: QueueSession
    private let spoolDirectory: String
    private let progress: Progress
    private let inspection = ObjectInspection()
    private let ledger: KeyLedger
    private let names: SpillFile
    /// Where each object's name begins in `names`, and who wrote it.
    private var nameOffsets: [Int] = []
    private var owners: [UInt16] = []
    private var ownerNumbers: [Substring: UInt16] = [:]
    private var books: BookCursor
    private let firstBooked: WebhookID?
    private(set) var findings: LakeFindings

    /// Who wrote an object that no pipeline named.
    private static let strangeOwner = UInt16.max

    /// Prepares a look at `store` from the day `since` on, at names and sizes only where it is
    /// quick.
    ///
    /// `spillDirectory` has room for 24 bytes a status, where they do not fit into memory.
    init(
        _ store: any LakeStore,
        against session: QueueSession,
        location: QueueLocation,
        since: String?,
        isQuick: Bool,
        spillDirectory: String,
        progress: Progress
    ) throws(Failure) {
        self.store = store
        self.session = session
        self.progress = progress
        spoolDirectory = location.spoolDirectory
        ledger = KeyLedger(spillingTo: spillDirectory)
        names = try Failure.system { () throws(SystemError) in try SpillFile(in: spillDirectory) }
        books = BookCursor(books: session.lake, since: since)
        firstBooked = try Failure.queue { () throws(QueueError) in
            try session.lake.firstBookedWebhook()
        }
        findings = LakeFindings(
            lake: store.description, queueID: session.queueID, since: since, isQuick: isQuick)
    }

    func run() throws(Failure) {
        for day in try lake({ () throws(LakeReadError) in try store.days() }) {
            guard day >= findings.since ?? "" else { continue }
            for object in try lake({ () throws(LakeReadError) in try store.objects(of: day) }) {
                while let booked = try books.peek(), booked.batch.objectName.precedes(object.name) {
                    try checkAbsent(booked)
                    books.take()
                }
                try check(object)
            }
        }
        while let booked = try books.peek() {
            try checkAbsent(booked)
            books.take()
        }
        try findDoubles()
    }

    private func lake<Result>(
        _ body: () throws(LakeReadError) -> Result
    ) throws(Failure) -> Result {
        do throws(LakeReadError) { return try body() } catch { throw .failed(error.message) }
    }

    // MARK: Batches that the lake did not list

    private func checkAbsent(_ booked: BookedBatch) throws(Failure) {
        let batch = booked.batch
        let name = batch.objectName
        // It may have been shipped since its day was listed.
        if try lake({ () throws(LakeReadError) in try store.byteCount(of: name) }) != nil { return }
        let now = try Failure.queue { () throws(QueueError) in try session.lake.batch(named: name) }
        guard let now else { return }
        if let shippedAt = now.shippedAt {
            findings.add(.missing, name, "shipped \(shippedAt.rfc3339), and not in the lake")
        } else if let trouble = spoolTrouble(batch) {
            let isShipped = try Failure.queue { () throws(QueueError) in
                try session.lake.batch(named: name)?.shippedAt != nil
            }
            if !isShipped { findings.add(.lost, name, trouble) }
        } else {
            findings.waitingCount += 1
        }
    }

    /// What is wrong with the spool file of a batch that waits; `nil` where all is well.
    private func spoolTrouble(_ batch: SealedBatch) -> String? {
        let file = batch.objectName.split(separator: "/").last ?? ""
        let hasher = SHA256Hasher()
        do throws(LakeReadError) {
            try DirectoryStore.read(file: "\(spoolDirectory)/\(file)") { hasher.update($0) }
        } catch {
            return error.isMissing ? "its spool file is gone" : error.message
        }
        return hasher.finishHex() == batch.sha256 ? nil : "its spool file has other bytes"
    }

    // MARK: Objects

    private func check(_ object: StoredObject) throws(Failure) {
        findings.objectCount += 1
        findings.byteCount += object.byteCount
        let parts = ObjectNameParts(object.name)
        var booked: BookedBatch?
        if let next = try books.peek(), next.batch.objectName == object.name {
            booked = next
            books.take()
        }
        if booked == nil, parts?.queueID == Substring(session.queueID) {
            // The page of the books may be older than the object.
            booked = try Failure.queue { () throws(QueueError) in
                try session.lake.batch(named: object.name)
            }
        }
        count(object, booked, parts)
        if let booked, booked.batch.byteCount != object.byteCount {
            let detail = "\(object.byteCount) bytes instead of \(booked.batch.byteCount)"
            findings.add(.different, object.name, detail)
        } else if !findings.isQuick {
            try read(object, booked?.batch, parts)
        }
        progress.show(findings.objectCount)
    }

    private func count(_ object: StoredObject, _ booked: BookedBatch?, _ parts: ObjectNameParts?) {
        // Whatever id it has: a restored queue has a new one, and its old batches in the books.
        guard booked == nil else { return findings.ownCount += 1 }
        guard let parts else { return findings.strangeCount += 1 }
        guard parts.queueID == session.queueID else {
            findings.otherQueues.insert(String(parts.queueID))
            return findings.otherCount += 1
        }
        if let firstBooked, parts.lastWebhook >= firstBooked.rawValue {
            findings.add(.unknown, object.name, "this queue's id, and not in its books")
        } else {
            findings.beforeBooksCount += 1
        }
    }

    private func read(
        _ object: StoredObject,
        _ batch: SealedBatch?,
        _ parts: ObjectNameParts?
    ) throws(Failure) {
        let number = try remember(object.name, parts)
        var failure: SystemError?
        let outcome: ObjectInspection.Outcome
        let ledger = ledger
        do throws(LakeReadError) {
            outcome = try inspection.inspect(object, in: store) { key in
                guard failure == nil else { return }
                let entry = KeyLedger.Entry(high: key.high, low: key.low, object: number)
                do throws(SystemError) { try ledger.add(entry) } catch { failure = error }
            }
        } catch {
            // A lifecycle rule may have removed it since it was listed.
            return findings.add(
                error.isMissing ? .missing : .unreadable, object.name, error.message)
        }
        if let failure { throw Self.noRoom(failure) }
        judge(outcome, object, batch, parts)
    }

    private func judge(
        _ outcome: ObjectInspection.Outcome,
        _ object: StoredObject,
        _ batch: SealedBatch?,
        _ parts: ObjectNameParts?
    ) {
        findings.lineCount += outcome.lineCount
        findings.unkeyedCount += outcome.unkeyedCount
        let expected = batch?.sha256 ?? parts.map { String($0.hash) } ?? ""
        if !outcome.sha256.hasPrefix(expected) {
            let detail = "SHA-256 \(outcome.sha256.prefix(12)) instead of \(expected.prefix(12))"
            findings.add(.different, object.name, detail)
        } else if let batch, batch.lineCount != outcome.lineCount {
            let detail = "\(outcome.lineCount) lines instead of \(batch.lineCount)"
            findings.add(.lineCount, object.name, detail)
        }
        if !outcome.isWhole {
            findings.add(.unreadable, object.name, "it is cut off, or no gzip")
        }
        if let first = outcome.firstUnreadable {
            let count = Humane.count(outcome.unreadableCount, "line")
            findings.add(.unreadableLines, object.name, "\(count), the first: \(first)")
        }
    }

    private static func noRoom(_ error: SystemError) -> Failure {
        .failed("\(error): the keys of all statuses need room, 24 bytes each; TMPDIR says where")
    }
}

// MARK: - Doubles

extension LakeVerification {
    private func remember(
        _ name: String,
        _ parts: ObjectNameParts?
    ) throws(Failure) -> UInt32 {
        nameOffsets.append(names.byteCount)
        owners.append(owner(parts))
        let bytes = Array(name.utf8)
        var failure: SystemError?
        bytes.withUnsafeBytes { bytes in
            do throws(SystemError) { try names.append(bytes) } catch { failure = error }
        }
        if let failure { throw Self.noRoom(failure) }
        return UInt32(nameOffsets.count - 1)
    }

    private func owner(_ parts: ObjectNameParts?) -> UInt16 {
        guard let parts, ownerNumbers.count < Int(Self.strangeOwner) else {
            return Self.strangeOwner
        }
        if let known = ownerNumbers[parts.queueID] { return known }
        let number = UInt16(ownerNumbers.count)
        // A copy: the slice would keep the whole name.
        ownerNumbers[Substring(String(parts.queueID))] = number
        return number
    }

    private func findDoubles() throws(Failure) {
        do throws(SystemError) {
            try ledger.takeDoubles { (group) throws(SystemError) in
                let byOwner = Dictionary(grouping: group) { owners[Int($0.object)] }
                if byOwner.count > 1 { findings.sharedCount += 1 }
                for (owner, entries) in byOwner where entries.count > 1 {
                    if owner == Self.strangeOwner {
                        findings.repeatedCount += 1
                    } else {
                        try addDouble(entries)
                    }
                }
            }
        } catch {
            throw Self.noRoom(error)
        }
    }

    private func addDouble(_ entries: [KeyLedger.Entry]) throws(SystemError) {
        let key = EventKey(high: entries[0].high, low: entries[0].low)
        let first = try name(entries[0].object)
        let second = try name(entries[1].object)
        let place = first == second ? "in \(first)" : "in \(first) and \(second)"
        findings.add(.doubled, key.hex, "\(entries.count) times, \(place)")
    }

    private func name(_ object: UInt32) throws(SystemError) -> String {
        let start = nameOffsets[Int(object)]
        let next = Int(object) + 1
        let end = next < nameOffsets.count ? nameOffsets[next] : names.byteCount
        var bytes = [UInt8](repeating: 0, count: end - start)
        var failure: SystemError?
        bytes.withUnsafeMutableBytes { bytes in
            do throws(SystemError) {
                try names.read(at: start, into: bytes)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// The order in which S3 lists names and SQLite sorts them: by bytes.
    fileprivate func precedes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

/// The books in the order of object names, a page at a time.
private struct BookCursor {
    private let books: LakeBooks
    private var page: ArraySlice<BookedBatch> = []
    private var last: String
    private var isAtEnd = false

    private static let pageCount = 1_000

    init(books: LakeBooks, since: String?) {
        self.books = books
        last = since.map { "statuses/dt=\($0)" } ?? ""
    }

    /// The next batch, which stays the next one; `nil` at the end.
    mutating func peek() throws(Failure) -> BookedBatch? {
        if page.isEmpty, !isAtEnd {
            let books = books
            let after = last
            page = try Failure.queue { () throws(QueueError) in
                try books.batches(namedAfter: after, limit: Self.pageCount)
            }[...]
            isAtEnd = page.count < Self.pageCount
            if let end = page.last { last = end.batch.objectName }
        }
        return page.first
    }

    mutating func take() { page = page.dropFirst() }
}
