import Foundation

/// The shapes that docs/CLI_JSON.md promises, and those that a command has: each value by its path,
/// `items[].id`, with what kind of value stands there.
struct JSONShapes {
    /// By path, the kinds that were seen or are promised.
    private(set) var kinds: [String: Set<String>] = [:]

    /// The shape of what a command has written.
    mutating func add(_ value: Any, at path: String = "") {
        switch value {
        case let object as [String: Any]:
            for (key, value) in object { add(value, at: path.isEmpty ? key : path + "." + key) }
        case let array as [Any]:
            // An empty list promises nothing of its elements, and still has to be documented.
            if array.isEmpty { kinds[path + "[]", default: []] = [] }
            for value in array { add(value, at: path + "[]") }
        case is NSNull: kinds[path, default: []].insert("null")
        case let number as NSNumber:
            kinds[path, default: []].insert(Self.kind(of: number))
        default: kinds[path, default: []].insert("string")
        }
    }

    private static func kind(of number: NSNumber) -> String {
        if CFGetTypeIDIsBoolean(number) { return "boolean" }
        return number.doubleValue == number.doubleValue.rounded() ? "integer" : "number"
    }

    /// Foundation has booleans as numbers; only their type says which.
    private static func CFGetTypeIDIsBoolean(_ number: NSNumber) -> Bool {
        String(cString: number.objCType) == "c"
    }

    /// The tables of the page, by the command in the heading above them: `## dead list`.
    ///
    /// A row is `| `path` | kind, kind | words |`; a `*` in a path stands for any key.
    static func documented(in page: String) -> [String: [String: Set<String>]] {
        var command = ""
        var found: [String: [String: Set<String>]] = [:]
        for line in page.split(separator: "\n") {
            if line.hasPrefix("## ") {
                command = String(line.dropFirst(3))
                found[command] = [:]
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("| `"), cells.count >= 2 else { continue }
            let kinds = cells[1].components(separatedBy: ", ")
            found[command]?[cells[0].trimmingCharacters(in: ["`"])] = Set(kinds)
        }
        return found
    }

    /// Whether a documented path is that of a value.
    static func matches(_ documented: String, _ path: String) -> Bool {
        guard documented.contains("*") else { return documented == path }
        let parts = documented.components(separatedBy: "*")
        return path.hasPrefix(parts[0]) && path.hasSuffix(parts[1])
            && path.count > parts[0].count + parts[1].count
    }
}
