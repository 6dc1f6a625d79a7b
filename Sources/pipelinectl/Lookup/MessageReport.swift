import Base
import Queue

/// What `lookup` says of a message, in its two forms.
struct MessageReport {
    let search: MessageSearch
    let now: Timestamp

    var json: JSONValue {
        [
            "id": .string(search.needles.text),
            "summary": summary.json,
            "webhooks": .array(search.webhooks.map(json)),
            "deliveries": .array(search.deliveries.map(json)),
            "statuses": .array(sortedStatuses.map(\.json)),
            "unreadable": .array(search.coverage.unreadable.map { .string($0) }),
            "searched": search.coverage.json,
        ]
    }

    var summary: MessageSummary {
        MessageSummary(message: search.needles.text, statuses: sortedStatuses)
    }

    private var sortedStatuses: [FoundStatus] {
        search.statuses.sorted { left, right in
            (left.happenedAt ?? Timestamp(rawValue: 0), left.receivedAt ?? Timestamp(rawValue: 0))
                < (
                    right.happenedAt ?? Timestamp(rawValue: 0),
                    right.receivedAt ?? Timestamp(rawValue: 0)
                )
        }
    }

    private func json(_ webhook: MessageSearch.FoundWebhook) -> JSONValue {
        [
            "id": .int(Int(webhook.id.rawValue)),
            "received_at": .string(webhook.receivedAt.rfc3339),
            "read_by_lake": .bool(webhook.readByLake),
            "read_by_forward": .bool(webhook.readByForward),
        ]
    }

    private func json(_ found: MessageSearch.FoundDelivery) -> JSONValue {
        let view = found.view
        let (state, moment, reason) = parts(of: view.state)
        return [
            "id": .int(Int(view.id.rawValue)),
            "state": .string(state),
            "due_at": state == "waiting" ? .optional(moment?.rfc3339) : nil,
            "settled_at": state == "waiting" ? nil : .optional(moment?.rfc3339),
            "reason": .optional(reason),
            "received_at": .string(view.envelope.receivedAt.rfc3339),
            "conversations": .array(view.envelope.conversations.map { .string($0) }),
            "delivery_id": .string(view.envelope.key),
            "webhook_id": .int(Int(view.envelope.webhook.rawValue)),
            "replays": .int(view.replayCount),
            "attempts": .array(found.attempts.map(DeadLetterForm.json)),
        ]
    }

    private func parts(
        of state: DeliveryView.State
    ) -> (name: String, moment: Timestamp?, reason: String?) {
        switch state {
        case .waiting(let dueAt): ("waiting", dueAt, nil)
        case .delivered(let at): ("delivered", at, nil)
        case .dead(let at, let reason): ("dead", at, reason)
        }
    }

    // MARK: For people

    /// What happened to the message, in the order in which it happened.
    var table: Table {
        let columns: [Table.Column] = [
            .init(title: "WHEN"), .init(title: "WHAT"), .init(title: "WHERE"),
        ]
        let rows = (webhookRows + deliveryRows + statusRows)
            .sorted { ($0.at?.rawValue ?? .max) < ($1.at?.rawValue ?? .max) }
            .map { row -> [Table.Cell] in
                [
                    .init(row.at?.rfc3339 ?? ""), .init(row.what, tone: row.tone),
                    .init(row.place, humane: shortened(row.place)),
                ]
            }
        return Table(columns: columns, rows: rows)
    }

    private struct Row {
        let at: Timestamp?
        let what: String
        let place: String
        var tone = Tone.ordinary
    }

    private var webhookRows: [Row] {
        search.webhooks.map {
            Row(at: $0.receivedAt, what: "received", place: "webhook \($0.id), in the log")
        }
    }

    private var statusRows: [Row] {
        sortedStatuses.map { status in
            let place = status.object ?? status.webhook.map { "webhook \($0)" } ?? ""
            let code = status.errors.first?.code.map { ": \($0)" } ?? ""
            return Row(
                at: status.happenedAt ?? status.receivedAt,
                what: "status \(status.status)\(code)",
                place: place, tone: status.status == "failed" ? .bad : .good)
        }
    }

    private var deliveryRows: [Row] {
        search.deliveries.flatMap { found -> [Row] in
            let view = found.view
            let place = "delivery \(view.id)"
            var rows = [
                Row(
                    at: view.envelope.receivedAt, what: "received",
                    place: "\(place), from webhook \(view.envelope.webhook)")
            ]
            rows += found.attempts.map { attempt in
                let status = attempt.status.map { " \($0)" } ?? ""
                return Row(
                    at: attempt.startedAt, what: "attempt \(attempt.number): \(attempt.result)",
                    place: place + status)
            }
            switch view.state {
            case .waiting(let dueAt):
                let what = dueAt == nil ? "waits for its turn" : "is due"
                rows.append(Row(at: dueAt ?? now, what: what, place: place, tone: .warning))
            case .delivered(let at):
                rows.append(Row(at: at, what: "accepted by PHP", place: place, tone: .good))
            case .dead(let at, let reason):
                rows.append(
                    Row(
                        at: at, what: "given up: \(reason)",
                        place: "\(place), a dead letter", tone: .bad))
            }
            return rows
        }
    }

    /// The end of a path tells more than its beginning.
    private func shortened(_ place: String) -> String {
        guard place.count > Table.cellWidthMax else { return place }
        return "…" + place.suffix(Table.cellWidthMax - 1)
    }
}
