import Base

/// Whose turn it is: the waiting deliveries of each conversation, in the order of their turns.
///
/// A delivery may stand in several conversations; it is due when it is first in all of them. Turns
/// come from one rising number, so two deliveries can never wait for each other.
struct Places {
    let connection: Connection

    /// Hands out turns inside the caller's transaction.
    struct Turns {
        var last: Int64

        mutating func next() -> Int64 {
            last += 1
            return last
        }
    }

    func giveTurns(
        _ body: (inout Turns) throws(QueueError) -> Void
    ) throws(QueueError) {
        let counters = Counters(connection: connection)
        var turns = Turns(last: try counters.value(.lastPosition))
        let first = turns.last
        try body(&turns)
        if turns.last != first { try counters.set(.lastPosition, to: turns.last) }
    }

    /// In how many of the conversations somebody already waits.
    func blockedCount(of conversations: [String]) throws(QueueError) -> Int {
        var count = 0
        for conversation in conversations where try head(of: conversation) != nil { count += 1 }
        return count
    }

    func take(
        _ conversations: [String],
        position: Int64,
        delivery: DeliveryID
    ) throws(QueueError) {
        let insert = try connection.statement("insert into place values (?1, ?2, ?3)")
        for conversation in conversations {
            insert.bind(1, conversation)
            insert.bind(2, position)
            insert.bind(3, delivery.rawValue)
            try insert.run()
        }
    }

    /// Leaves the conversations; whoever stands first in one now comes nearer to being due.
    func leave(
        _ conversations: [String],
        position: Int64,
        now: Timestamp
    ) throws(QueueError) {
        for conversation in conversations {
            let wasHead = try head(of: conversation)?.position == position
            let delete = try connection.statement(
                "delete from place where conversation = ?1 and position = ?2")
            delete.bind(1, conversation)
            delete.bind(2, position)
            try delete.run()
            guard wasHead, let next = try head(of: conversation) else { continue }
            try unblock(next.delivery, now: now)
        }
    }

    private func unblock(_ delivery: DeliveryID, now: Timestamp) throws(QueueError) {
        let update = try connection.statement(
            """
            update delivery set blocked_count = blocked_count - 1,
              due_at = case when blocked_count = 1 then ?2 end
            where id = ?1
            """)
        update.bind(1, delivery.rawValue)
        update.bind(2, now.rawValue)
        try update.run()
    }

    private func head(
        of conversation: String
    ) throws(QueueError) -> (position: Int64, delivery: DeliveryID)? {
        let select = try connection.statement(
            """
            select position, delivery_id from place
            where conversation = ?1 order by position limit 1
            """)
        defer { select.reset() }

        select.bind(1, conversation)
        guard try select.step() else { return nil }
        return (select.int64(0), DeliveryID(rawValue: select.int64(1)))
    }
}
