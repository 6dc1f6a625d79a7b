extension SQL {
    static let listDead: SQL = """
        select id, key, webhook_id, part, received_at, conversations, field, phone_number_id,
          event_count, is_cut, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, reason, reason_status, settled_at, byte_count,
          attempt_total, replay_count
        from delivery
        where state = 'dead' and id > ?8
          and (?1 is null or reason = ?1) and (?2 is null or reason_status = ?2)
          and (?3 is null or settled_at >= ?3) and (?4 is null or settled_at < ?4)
          and (?5 is null or instr(char(10) || conversations || char(10),
            char(10) || ?5 || char(10)) > 0)
          and (?6 is null or phone_number_id = ?6) and (?7 is null or field = ?7)
        order by id limit ?9
        """

    static let countDead: SQL = """
        select count(*) from delivery
        where state = 'dead'
          and (?1 is null or reason = ?1) and (?2 is null or reason_status = ?2)
          and (?3 is null or settled_at >= ?3) and (?4 is null or settled_at < ?4)
          and (?5 is null or instr(char(10) || conversations || char(10),
            char(10) || ?5 || char(10)) > 0)
          and (?6 is null or phone_number_id = ?6) and (?7 is null or field = ?7)
        """

    static let oneDead: SQL = """
        select id, key, webhook_id, part, received_at, conversations, field, phone_number_id,
          event_count, is_cut, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, reason, reason_status, settled_at, byte_count,
          attempt_total, replay_count
        from delivery where state = 'dead' and id = ?1
        """

    /// A delivery with all that belongs to it.
    static let deleteDelivery: [SQL] = [
        "delete from attempt where delivery_id = ?1",
        "delete from delivery_body where delivery_id = ?1",
        "delete from replaced_body where delivery_id = ?1",
        "delete from delivery where id = ?1",
    ]

    static let appendDeadAgain: SQL = """
        insert into webhook (received_at, signature_256, signature_1, secret_fingerprint,
          user_agent, content_type, remote_address, body)
        select received_at, signature_256, signature_1, secret_fingerprint, user_agent,
          content_type, remote_address, body
        from delivery join delivery_body on delivery_id = id where id = ?1
        """
}
