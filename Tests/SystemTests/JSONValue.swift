import Foundation
import Testing

/// JSON compared by meaning, by Foundation's reader, which shares nothing with ours.
enum JSON {
    static func object(_ text: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    /// One text for each meaning: keys sorted, nothing escaped without need.
    static func canonical(_ value: Any) throws -> String {
        let data = try JSONSerialization.data(
            withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
        return String(decoding: data, as: UTF8.self)
    }

    /// The changes of a webhook with their account.
    static func changes(
        of webhook: [String: Any]
    ) -> [(account: String?, field: String, value: [String: Any])] {
        let entries = webhook["entry"] as? [[String: Any]] ?? []
        return entries.flatMap { entry in
            (entry["changes"] as? [[String: Any]] ?? []).map { change in
                (
                    entry["id"] as? String, change["field"] as? String ?? "",
                    change["value"] as? [String: Any] ?? [:]
                )
            }
        }
    }

    /// The elements of `statuses` that belong into the lake.
    static func statuses(of webhook: [String: Any]) -> [[String: Any]] {
        guard webhook["object"] as? String == "whatsapp_business_account" else { return [] }
        return changes(of: webhook).filter { $0.field == "messages" }
            .flatMap { $0.value["statuses"] as? [[String: Any]] ?? [] }
    }

    /// Every event but those statuses, each with its field and key.
    static func otherEvents(of webhook: [String: Any]) throws -> [String] {
        try changes(of: webhook).flatMap { change -> [String] in
            guard change.field == "messages" else {
                return [try change.field + canonical(change.value)]
            }
            let context: Set = ["messaging_product", "metadata", "contacts", "statuses"]
            return try change.value.filter { !context.contains($0.key) }.flatMap { key, value in
                try (value as? [Any] ?? [value]).map { try "messages.\(key)" + canonical($0) }
            }
        }
    }
}
