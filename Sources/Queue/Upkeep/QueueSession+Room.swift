extension QueueSession {
    /// Bytes of one page, by which the WAL is counted too: what the file was made with.
    public var pageByteCount: Int { connection.pageByteCount }

    /// How long the last write of this session held the gate, its sync included.
    public var lastHold: Duration { connection.lastHold }

    /// Bytes of the database file that nothing occupies: room, as free disk is.
    public func freeByteCount() throws(QueueError) -> Int {
        Int(try connection.scalar("pragma freelist_count") ?? 0) * pageByteCount
    }

    /// Bytes of the database file that hold something.
    public func usedByteCount() throws(QueueError) -> Int {
        Int(try connection.scalar("pragma page_count") ?? 0) * pageByteCount
            - (try freeByteCount())
    }
}
