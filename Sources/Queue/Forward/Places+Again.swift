import Base

extension Places {
    /// Gives a settled delivery a turn at the end of its conversations and a new budget.
    ///
    /// Its id, key and attempts stay. Inside the caller's transaction, which moves the counters.
    func lineUpAgain(
        _ id: DeliveryID,
        conversations: [String],
        now: Timestamp
    ) throws(QueueError) {
        let blockedCount = try blockedCount(of: conversations)
        try giveTurns { (turns) throws(QueueError) in
            let position = turns.next()
            let update = try connection.statement(.restoreDelivery)
            update.bind(1, id.rawValue)
            update.bind(2, position)
            update.bind(3, blockedCount)
            update.bind(4, blockedCount == 0 ? now.rawValue : nil as Int64?)
            try update.run()
            try take(conversations, position: position, delivery: id)
        }
    }
}

extension SQL {
    static let restoreDelivery: SQL = """
        update delivery set state = 'waiting', position = ?2, blocked_count = ?3, due_at = ?4,
          attempt_count = 0, refusal_count = 0, replay_count = replay_count + 1,
          age_started = null, settled_at = null, reason = null, reason_status = null
        where id = ?1 and state <> 'waiting'
        """
}
