import Base
import Foundation
import Glibc
import Queue
import Synchronization

/// Looks at the books and the lake, again and again, while programs run and die.
public final class Witness: Sendable {
    private let location: QueueLocation
    private let lake: LakeReader
    private let ledger: Ledger
    /// Held by whoever has the database open in this process, and while its files are replaced.
    private let database = Mutex(())
    private let looks = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(true)

    init(location: QueueLocation, lake: LakeReader, ledger: Ledger) {
        self.location = location
        self.lake = lake
        self.ledger = ledger
    }

    /// Times that the books were read.
    public var lookCount: Int { looks.load(ordering: .relaxed) }

    /// Looks twenty times a second until ``stop()``, on a thread of its own.
    public func start() {
        hasEnded.store(false, ordering: .releasing)
        Thread { [self] in
            while !isOver.load(ordering: .acquiring) {
                look()
                lake.look()
                poll(nil, 0, 50)
            }
            hasEnded.store(true, ordering: .releasing)
        }.start()
    }

    /// Ends the thread, and looks a last time.
    public func stop() {
        isOver.store(true, ordering: .releasing)
        while !hasEnded.load(ordering: .acquiring) { poll(nil, 0, 10) }
        lake.look()
        look()
    }

    /// Reads the books, and tells the ledger where they do not hold.
    ///
    /// - Returns: the books, or `nil` where the file is locked just now, by a recovery for example.
    @discardableResult
    public func look() -> Books? {
        // Before the books are read: what is acknowledged later is in them or not.
        let acknowledged = ledger.acknowledgementCount
        do throws(QueueError) {
            let books = try withSession { (session) throws(QueueError) in try session.books() }
            looks.add(1, ordering: .relaxed)
            for difference in books.differences { ledger.violate("books: \(difference)") }
            if books.acknowledgedCount < acknowledged {
                ledger.violate(
                    "\(acknowledged) were acknowledged, the books know \(books.acknowledgedCount)")
            }
            return books
        } catch {
            switch error {
            case .busy, .missing, .olderSchema, .notAQueue: return nil
            case .corrupt, .newerSchema, .file, .full, .syncFailed, .cursorMoved, .sqlite:
                ledger.violate("the queue cannot be read: \(error)")
                return nil
            }
        }
    }

    /// Runs `body` while nobody in this process has the database open.
    func whileAway(_ body: () throws -> Void) throws {
        try database.withLock { _ in try body() }
    }

    private func withSession<Result>(
        _ body: (QueueSession) throws(QueueError) -> Result
    ) throws(QueueError) -> Result {
        try database.withLock { _ throws(QueueError) in
            let gate = try QueueSession.openGate(location, as: .tool)
            return try body(try QueueSession.open(location, gate: gate, as: .tool))
        }
    }
}
