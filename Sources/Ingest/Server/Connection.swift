/// One client, in a slot of the ``ConnectionTable``: a few hundred bytes, without a reference.
///
/// A buffer exists only while part of a request is there; whole requests are read, checked and
/// committed from the arena that all connections share.
///
///     idle ─▶ head ─▶ body ─▶ in group ─▶ idle        (or, after a refusal or `close`)
///                                  └────▶ lingering ─▶ gone
struct Connection {
    /// What holds for a connection at the moment.
    struct Flags: OptionSet {
        let rawValue: UInt16
        /// The kernel has, or may have, bytes for us: edge-triggered, so it says so once.
        static let isReadable = Flags(rawValue: 1 << 0)
        /// The peer has finished sending; reads go on until they return 0.
        static let peerFinishes = Flags(rawValue: 1 << 1)
        /// A read has returned 0.
        static let peerFinished = Flags(rawValue: 1 << 2)
        static let isReady = Flags(rawValue: 1 << 3)
        /// Webhooks of it wait for a commit; its bytes must not move.
        static let isInGroup = Flags(rawValue: 1 << 4)
        /// The last answer was given or queued; nothing more is read as a request.
        static let isClosing = Flags(rawValue: 1 << 5)
        static let isLingering = Flags(rawValue: 1 << 6)
        /// The buffer may hold a whole request that was left for later.
        static let hasUnparsed = Flags(rawValue: 1 << 7)
        static let isTrustedProxy = Flags(rawValue: 1 << 8)
        /// In line for buffer bytes.
        static let awaitsBuffer = Flags(rawValue: 1 << 9)
        /// May take buffer bytes beyond the common ones, so that somebody always gets on.
        static let isPrivileged = Flags(rawValue: 1 << 10)
    }

    /// Which of its time limits runs.
    enum Timer: UInt8, CaseIterable {
        case none, idle, head, body, write, linger
    }

    var descriptor: Int32 = -1
    /// Tells the users of a slot apart, for events that come late.
    var generation: UInt32 = 0
    var flags: Flags = []
    var timer = Timer.none
    var deadline: Int64 = 0
    var timerNext = ConnectionTable.nothing
    var timerPrevious = ConnectionTable.nothing

    var parser = RequestParser()
    // Owned: allocated and freed by `BufferBudget` alone. The current request begins at `start`.
    var buffer: UnsafeMutablePointer<UInt8>?
    var capacity: Int32 = 0
    var start: Int32 = 0
    var end: Int32 = 0
    // Owned: an answer that did not fit into the kernel's buffer; allocated, freed by `Answers`.
    var output: UnsafeMutablePointer<UInt8>?
    var outputStart: Int32 = 0
    var outputEnd: Int32 = 0
    var lingerBytes: Int32 = 0
    /// What the request at hand will be answered when it has been read to its end.
    var pendingRefusal: Refusal?
    var address = AddressText()

    /// Bytes in the buffer.
    var heldCount: Int { Int(end - start) }

    /// Requests are read from it: it is open, and no webhook and no answer of it waits.
    var mayConsume: Bool {
        descriptor >= 0 && output == nil && flags.isDisjoint(with: [.isInGroup, .isClosing])
    }
}
