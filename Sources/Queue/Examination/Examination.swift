/// One question to ask of a whole queue; together they find what a damaged disk, a bug, or a hand
/// in the file would leave behind.
///
/// They see structure and contradictions. A byte that changed inside a column and contradicts
/// nothing is found only where a signature or a hash covers it: the bodies and the spool files,
/// which whoever knows the secrets and the formats compares.
public enum Examination: String, CaseIterable, Sendable {
    /// Every page can be read, and every index agrees with its table.
    case pages
    /// Each delivery has its body, of the size it says, and each body and attempt its delivery.
    case rows
    /// Each waiting delivery stands in its conversations, and exactly the first of them are due.
    case places
    /// The books balance, and count what is there.
    case books
    /// Both consumers stand inside the log, and nothing is missing in front of them.
    case log
    /// Keys and batches belong to webhooks that have been.
    case references
}

extension QueueSession {
    /// What is wrong with the queue, one line each; none where nothing is.
    ///
    /// Reads all of it on one snapshot, which holds the WAL; other programs go on working.
    ///
    /// - Parameter examination: what is looked at.
    /// - Returns: sentences without values of rows.
    /// - Throws: ``QueueError/corrupt(path:detail:)`` where the damage stops the look itself.
    public func faults(of examination: Examination) throws(QueueError) -> [String] {
        try Examiner(connection: connection).faults(of: examination)
    }
}

/// Asks the questions by SQL.
struct Examiner {
    let connection: Connection

    func faults(of examination: Examination) throws(QueueError) -> [String] {
        try connection.read { () throws(QueueError) in
            switch examination {
            case .pages: try pageFaults()
            case .rows: try counted(Self.rowQuestions)
            case .places: try counted(Self.placeQuestions)
            case .books: try bookFaults()
            case .log: try logFaults()
            case .references: try counted(Self.referenceQuestions)
            }
        }
    }

    /// Lines of SQLite that are worth showing: the rest says the same again.
    private static let pageFaultCountMax = 20

    private func pageFaults() throws(QueueError) -> [String] {
        let check = try connection.statement("pragma integrity_check(20)")
        defer { check.reset() }

        var faults: [String] = []
        while try check.step() { faults.append(check.text(0)) }
        return faults == ["ok"] ? [] : faults
    }

    /// Questions whose answer is how many rows are wrong.
    private typealias Question = (sql: SQL, isWrong: String)

    private func counted(_ questions: [Question]) throws(QueueError) -> [String] {
        var faults: [String] = []
        for question in questions {
            let count = try connection.scalar(question.sql) ?? 0
            if count > 0 { faults.append("\(count) \(question.isWrong)") }
        }
        return faults
    }

    private static let rowQuestions: [Question] = [
        (
            "select count(*) from delivery where id not in (select delivery_id from delivery_body)",
            "deliveries without a body"
        ),
        (
            "select count(*) from delivery_body where delivery_id not in (select id from delivery)",
            "bodies without a delivery"
        ),
        (
            """
            select count(*) from delivery join delivery_body on delivery_id = id
            where length(body) <> byte_count
            """,
            "bodies of another size than their delivery says"
        ),
        (
            "select count(*) from attempt where delivery_id not in (select id from delivery)",
            "attempts without a delivery"
        ),
    ]

    private static let placeQuestions: [Question] = [
        (
            """
            select count(*) from place p where not exists (select 1 from delivery d
              where d.id = p.delivery_id and d.state = 'waiting' and d.position = p.position)
            """,
            "places held by no waiting delivery"
        ),
        (
            """
            select count(*) from delivery d left join
              (select delivery_id, count(*) as held from place group by delivery_id) p
              on p.delivery_id = d.id
            where d.state = 'waiting' and coalesce(p.held, 0) <>
              length(d.conversations) - length(replace(d.conversations, char(10), '')) + 1
            """,
            "waiting deliveries without their places"
        ),
        (
            """
            with first as (select conversation, min(position) as position from place
                group by conversation),
              behind as (select p.delivery_id, sum(p.position > f.position) as count
                from place p join first f on f.conversation = p.conversation
                group by p.delivery_id)
            select count(*) from delivery d join behind b on b.delivery_id = d.id
            where d.state = 'waiting' and d.blocked_count <> b.count
            """,
            "deliveries that wait for others than those in front of them"
        ),
        (
            """
            select count(*) from place where position >
              (select coalesce(max(value), 0) from counter where name = 'last_position')
            """,
            "places that were never given out"
        ),
    ]

    private static let referenceQuestions: [Question] = [
        (
            """
            select count(*) from seen where length(digest) <> 16 or consumer not in (0, 1)
              or webhook_id > (select max(seq) from sqlite_sequence where name = 'webhook')
            """,
            "keys that no webhook can have held"
        ),
        (
            """
            select count(*) from lake_batch
            where last_webhook_id > (select cursor from consumer where name = 'lake')
              or length(sha256) <> 64
            """,
            "batches of webhooks that the lake consumer has not read"
        ),
    ]

    // MARK: Sums

    private func bookFaults() throws(QueueError) -> [String] {
        let counters = try Counters(connection: connection).all()
        func value(_ name: CounterName) -> Int64 { counters[name] ?? 0 }
        let unshipped = try connection.scalar(
            "select sum(line_count) from lake_batch where shipped_at is null")
        let lost = value(.lakeFound) - value(.lakeDoubles) - value(.lakeSealed) - value(.lakeErased)
        let stray = value(.lakeSealed) - value(.lakeShipped) - (unshipped ?? 0)
        let places: [CounterName] = [
            .forwardDoubles, .waiting, .delivered, .dead, .discarded, .dropped, .erased,
        ]
        let gone = value(.forwardFound) - places.reduce(0) { $0 + value($1) }
        var faults: [String] = []
        if lost != 0 { faults.append("\(lost) statuses were found and are nowhere") }
        if stray != 0 { faults.append("\(stray) statuses were sealed and are nowhere") }
        if gone != 0 { faults.append("\(gone) events for PHP were found and are nowhere") }
        for (name, sql) in Self.recounts {
            let found = try connection.scalar(sql) ?? 0
            guard found != value(name) else { continue }
            faults.append("counter \(name.rawValue) says \(value(name)), there are \(found)")
        }
        let kept = try connection.scalar(
            "select sum(event_count) from delivery where state = 'delivered'")
        if (kept ?? 0) > value(.delivered) {
            faults.append("more events are kept as delivered than were delivered")
        }
        return faults
    }

    /// Counters that can be counted again from the rows.
    static let recounts: [(CounterName, SQL)] = [
        (.waiting, "select sum(event_count) from delivery where state = 'waiting'"),
        (.waitingDeliveries, "select count(*) from delivery where state = 'waiting'"),
        (.dead, "select sum(event_count) from delivery where state = 'dead'"),
        (.deadLetters, "select count(*) from delivery where state = 'dead'"),
    ]

    private func logFaults() throws(QueueError) -> [String] {
        let last = try connection.scalar(.lastWebhookID) ?? 0
        var faults: [String] = []
        guard try connection.scalar("select count(*) from consumer") == 2 else {
            return ["a consumer's cursor is missing"]
        }
        let ahead = try connection.scalar(
            """
            select count(*) from consumer where cursor < 0 or cursor >
              (select coalesce(max(seq), 0) from sqlite_sequence where name = 'webhook')
            """)
        if ahead != 0 { faults.append("a consumer stands behind the end of the log") }
        // Ids have no gaps, so whatever is missing in front of a cursor was there once.
        let cursor = try connection.scalar("select min(cursor) from consumer") ?? 0
        let unread = try connection.statement("select count(*), max(id) from webhook where id > ?1")
        unread.bind(1, cursor)
        defer { unread.reset() }

        guard try unread.step() else { return faults }
        let missing = last - cursor - unread.int64(0)
        if missing > 0 { faults.append("\(missing) webhooks are missing that were not read yet") }
        if unread.int64(1) > last { faults.append("the log holds ids that were never given out") }
        return faults
    }
}
