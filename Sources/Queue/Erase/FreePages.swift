import Base

extension QueueSession {
    /// Overwrites the free pages of the file, which may hold what was deleted before.
    ///
    /// SQLite zeroes what it frees only where that costs no extra write (docs/decisions/0007). So
    /// every free page is taken by rows of zeros, and given back. Slice by slice, so that the gate
    /// is never held long. Rows that a crash leaves behind have negative ids; the next call
    /// removes them.
    ///
    /// - Returns: how many pages were free.
    /// - Throws: what every method of a session may throw.
    public func overwriteFreePages() throws(QueueError) -> Int {
        try removeFillers()
        let free = Int(try connection.scalar("pragma freelist_count") ?? 0)
        var id: Int64 = 0
        while try connection.scalar("pragma freelist_count") ?? 0 > 0 {
            id -= 1
            try connection.write { () throws(QueueError) in
                let insert = try connection.statement(.insertFiller)
                insert.bind(1, id)
                insert.bind(2, Self.fillerByteCount)
                try insert.run()
            }
        }
        try removeFillers()
        return free
    }

    /// Some dozens of pages: a few milliseconds.
    private static let fillerByteCount = 480 * 1_024

    private func removeFillers() throws(QueueError) {
        while let id = try connection.scalar("select min(delivery_id) from delivery_body"), id < 0 {
            try connection.write { () throws(QueueError) in
                let delete = try connection.statement(
                    "delete from delivery_body where delivery_id = ?1")
                delete.bind(1, id)
                try delete.run()
            }
        }
    }
}

extension SQL {
    static let insertFiller: SQL = "insert into delivery_body values (?1, zeroblob(?2))"
}
