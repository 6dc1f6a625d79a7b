import Base

/// The two readers of the log.
enum Consumer: Int64 {
    case lake = 0
    case forward = 1

    var name: String {
        switch self {
        case .lake: "lake"
        case .forward: "forward"
        }
    }
}

/// Where one consumer stands in the log.
struct Cursor {
    let connection: Connection
    let consumer: Consumer

    func position() throws(QueueError) -> WebhookID {
        let select = try connection.statement("select cursor from consumer where name = ?1")
        defer { select.reset() }

        select.bind(1, consumer.name)
        guard try select.step() else { return .none }
        return WebhookID(rawValue: select.int64(0))
    }

    /// Moves the cursor forward, inside the transaction that stores what was made of the webhooks.
    ///
    /// - Throws: ``QueueError/cursorMoved(consumer:)`` where it already stands there or beyond, so
    ///   that a second pool cannot store the same webhooks again.
    func advance(to id: WebhookID) throws(QueueError) {
        let update = try connection.statement(
            "update consumer set cursor = ?2 where name = ?1 and cursor < ?2")
        update.bind(1, consumer.name)
        update.bind(2, id.rawValue)
        try update.run()
        guard connection.changeCount == 1 else { throw .cursorMoved(consumer: consumer.name) }
    }
}
