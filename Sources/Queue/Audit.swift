import Base

/// What people did to deliveries: kept with the time and the system user, in the transaction that
/// does it.
struct Audit {
    let connection: Connection

    /// Adds a line; `delivery` is `nil` for an act on many of them, which `note` describes.
    func record(
        _ act: String,
        _ delivery: DeliveryID?,
        by actor: Actor,
        note: String?,
        now: Timestamp
    ) throws(QueueError) {
        let insert = try connection.statement(
            """
            insert into audit (at, system_user, act, delivery_id, note)
            values (?1, ?2, ?3, ?4, ?5)
            """)
        insert.bind(1, now.rawValue)
        insert.bind(2, actor.systemUser)
        insert.bind(3, act)
        insert.bind(4, delivery?.rawValue)
        insert.bind(5, note)
        try insert.run()
    }
}
