import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What an analyst is given works on a lake that the pipeline wrote: DuckDB runs all of it.
    @Suite struct LakeQueryTests {
        private static let ever = ["0000-01-01", "9999-12-31"]

        private func reports(_ lake: SharedLake) throws -> (String) throws -> [[String: Any]] {
            let tables = try lake.tables("duckdb")
            return { name in
                try Self.rows(tables, SharedLake.query(name), Self.ever)
            }
        }

        private static func rows(
            _ tables: String, _ query: String, _ parameters: [String]
        ) throws -> [[String: Any]] {
            let object = try PythonTool.object("lake_query.py", [tables, query] + parameters)
            return try #require(object["rows"] as? [[String: Any]])
        }

        /// The values of some columns, each row in one line.
        private func lines(_ rows: [[String: Any]], _ columns: String...) -> [String] {
            rows.map { row in
                columns.map { column in
                    let value = row[column] ?? NSNull()
                    return value is NSNull ? "-" : "\(value)"
                }.joined(separator: " ")
            }
        }

        @Test func `the ready queries answer what the webhooks said, each status once`() throws {
            let lake = try SharedLake()
            let report = try reports(lake)
            let days = try report("rates_by_day")
            #expect(
                lines(days, "day", "messages", "delivered", "read", "failed", "delivered_percent")
                    == ["2026-11-01 4 2 2 2 50.0", "2026-11-02 2 2 1 0 100.0"])
            let templates = try report("rates_by_template")
            #expect(
                lines(templates, "template", "named_by", "messages", "delivered", "read", "failed")
                    == [
                        "welcome biz_opaque_callback_data 3 2 2 1", "unknown nothing 2 1 1 1",
                        "utility pricing category 1 1 0 0",
                    ])
            let failures = try report("failures_by_code")
            #expect(
                lines(failures, "error_code", "title", "failures", "messages")
                    == ["131026 Message undeliverable 1 1", "131049 Healthy 1 1"])
            let costs = try report("cost_by_category")
            #expect(
                lines(costs, "month", "category", "type", "messages", "billable", "charged")
                    == [
                        "2026-11-01 marketing regular 3 3 2", "2026-11-01 none none 2 0 0",
                        "2026-11-01 utility free_customer_service 1 0 0",
                    ])
            let doubles = try report("doubles")
            #expect(lines(doubles, "hosts", "copies", "statuses") == ["2 2 3"])
        }

        @Test func `one message's history is in its order, across hosts, and only its own`() throws
        {
            let lake = try SharedLake()
            let tables = try lake.tables("duckdb")
            let query = SharedLake.query("message_history")
            let one = try Self.rows(tables, query, Self.ever + ["wamid.M1=="])
            #expect(
                lines(one, "happened_at", "status", "copies", "billable") == [
                    "2026-11-01 08:00:00 sent 2 1", "2026-11-01 08:00:05 delivered 1 -",
                    "2026-11-01 08:01:00 read 1 -",
                ])
            let group = try Self.rows(tables, query, Self.ever + ["wamid.M6=="])
            #expect(
                lines(group, "status", "participant_id")
                    == ["sent -", "read 4915550000001", "read 4915550000002"])
            let none = try Self.rows(tables, query, ["2000-01-01", "2000-12-31", "wamid.M1=="])
            #expect(none.isEmpty)
        }

        @Test func `a message's row says how far it got, whatever the order of its statuses`()
            throws
        {
            let lake = try SharedLake()
            let query = lake.file("message.sql")
            try Data("select * from message order by id".utf8)
                .write(to: URL(fileURLWithPath: query))
            let rows = try Self.rows(try lake.tables("duckdb"), query, [])
            #expect(
                lines(rows, "id", "status", "sent_at", "read_at", "error_code", "participant_count")
                    == [
                        "wamid.M1== read 2026-11-01 08:00:00 2026-11-01 08:01:00 - 0",
                        "wamid.M2== read 2026-11-01 09:00:00 2026-11-01 09:00:00 - 0",
                        "wamid.M3== failed 2026-11-01 10:00:00 - 131049 0",
                        "wamid.M4== delivered 2026-11-02 08:00:00 - - 0",
                        "wamid.M5== failed - - 131026 0",
                        "wamid.M6== read 2026-11-02 10:00:00 2026-11-02 10:00:05 - 2",
                    ])
        }

        @Test func `Athena's tables and views say the same as DuckDB's`() throws {
            let lake = try SharedLake()
            let queries = try SharedLake.queries()
            #expect(queries.count == 6)
            let found = try PythonTool.object(
                "athena_check.py", [try lake.tables("athena"), try lake.tables("duckdb")] + queries)
            #expect(found["queries"] as? Int == queries.count)
            #expect(found["same"] as? Bool == true)
            #expect(found["athena_columns"] as? [String] == found["duckdb_columns"] as? [String])
            #expect(
                found["rows"] as? [String: Int] == ["status_line": 16, "status": 13, "message": 6])
        }

        @Test func `every status of every fixture is a row, and what is odd in one harms none`()
            throws
        {
            let installation = try Installation(["LAKE_BATCH_AGE_MAX": "100ms"])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            let odd = SharedLake.oddStatuses
            let fixtures = try Fixture.files() + [.thousandStatuses()]
            for body in fixtures.map(\.body) + odd { #expect(try sender.post(body) == 200) }
            let count = fixtures.map(\.statusCount).reduce(0, +) + odd.count
            try waitUntil { try installation.lake.lines().count >= count }
            installation.stopPrograms()
            let tables = installation.directory.file("tables.sql")
            let (status, text) = try installation.pipelinectl("lake", "ddl")
            #expect(status == 0)
            try Data(text.utf8).write(to: URL(fileURLWithPath: tables))
            let query = installation.directory.file("count.sql")
            try Data(
                """
                select count(*) as rows, count(event_key) as keys, count(happened_at) as times,
                  count(distinct event_key) as statuses from status
                """.utf8
            ).write(to: URL(fileURLWithPath: query))
            let rows = try Self.rows(tables, query, [])
            #expect(
                lines(rows, "rows", "keys", "times", "statuses")
                    == ["\(count) \(count) \(count) \(count)"])
        }
    }
}
