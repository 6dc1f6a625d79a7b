import Queue

/// The books as `status` shows them, in its two forms; docs/RELIABILITY.md defines each line.
struct BooksReport {
    let books: Books

    var json: JSONValue {
        let counters = CounterName.allCases.map { name in
            JSONValue.Member(key: name.rawValue, value: .int(books.count(name)))
        }
        return [
            "balances": .bool(books.balances),
            "differences": .array(books.differences.map { .string($0.description) }),
            "webhooks": webhooks,
            "events": events,
            "counters": .object(counters),
        ]
    }

    private var webhooks: JSONValue {
        [
            "acknowledged": .int(books.acknowledgedCount),
            "put_back": .int(books.count(.rereadWebhooks)),
            "read_by_both": .int(books.readCount),
            "waiting": .int(books.waitingWebhookCount),
            "lake": Self.reading(books.lake),
            "forward": Self.reading(books.forward),
        ]
    }

    private static func reading(_ reading: Books.Reading) -> JSONValue {
        ["read": .int(reading.readCount), "waiting": .int(reading.waitingCount)]
    }

    private var events: JSONValue {
        [
            "found": .int(books.foundCount),
            "in_lake": .int(books.count(.lakeShipped)),
            "sealed": .int(books.sealedCount),
            "doubles": .int(books.doubleCount),
            "delivered": .int(books.count(.delivered)),
            "dead": .int(books.count(.dead)),
            "discarded": .int(books.count(.discarded)),
            "dropped": .int(books.count(.dropped)),
            "erased": .int(books.erasedCount),
            "waiting": .int(books.count(.waiting)),
        ]
    }

    /// One line for a person.
    var words: (String, Tone) {
        guard !books.balances else { return ("balance", .good) }
        let differences = books.differences.map(\.description).joined(separator: ", ")
        return (
            "do not balance: \(differences); keep the queue and its logs, and report this", .bad
        )
    }
}
