/// One setting: its name in the environment, and what holds where it is not given.
///
/// A secret may be given as `NAME_FILE` too, the path of a file that holds it.
public struct ConfigurationKey: Sendable, Hashable {
    /// What holds where a key is not given.
    public enum Presence: Sendable, Hashable {
        /// Whoever asks for it cannot do without.
        case required
        /// Nothing; whoever asks for it can do without.
        case optional
        /// This text, as if it had been given.
        case `default`(String)
    }

    /// As in the environment: `QUEUE_PATH`.
    public let name: String
    /// What holds where it is not given.
    public let presence: Presence
    /// Whether its value must never be shown.
    public let isSecret: Bool
    /// One line for people.
    public let help: String

    init(_ name: String, _ presence: Presence, isSecret: Bool = false, help: String) {
        self.name = name
        self.presence = presence
        self.isSecret = isSecret
        self.help = help
    }

    /// The text that holds where the key is not given; `nil` where there is none.
    public var defaultText: String? {
        switch presence {
        case .required, .optional: nil
        case .default(let text): text
        }
    }

    /// The key that names a file with this secret in it.
    var fileName: String { name + "_FILE" }

    /// Every key, in the order of docs/CONFIGURATION.md.
    public static let all: [ConfigurationKey] =
        commonKeys + ingestKeys + forwardKeys + lakeKeys + awsKeys
}

/// The names that may stand in a configuration file.
enum KnownNames {
    /// All keys, and the names of files for secrets.
    static let all: Set<String> = Set(
        ConfigurationKey.all.flatMap { $0.isSecret ? [$0.name, $0.fileName] : [$0.name] }
    )

    /// What our names begin with.
    ///
    /// Amazon's are not ours: its tools know more of them than we do.
    private static let prefixes: Set<Substring> = Set(
        all.compactMap { $0.split(separator: "_").first }
    ).subtracting(["AWS"])

    /// Whether a name that is not known was probably meant for us.
    static func isOurs(_ name: String) -> Bool {
        guard !name.hasPrefix("AWS_") else { return false }
        let hasPrefix = prefixes.contains { name.hasPrefix($0 + "_") }
        return hasPrefix || nearest(to: name, distanceMax: 2) != nil
    }

    /// The known name with the fewest changed letters, the first of the alphabet among equals.
    static func nearest(to name: String, distanceMax: Int) -> String? {
        all.map { ($0, distance(Array($0.utf8), Array(name.utf8))) }
            .filter { $0.1 <= distanceMax }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    /// Levenshtein's: letters to put in, take out or change.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (leftIndex, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = leftIndex + 1
            for (rightIndex, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[rightIndex + 1]
                row[rightIndex + 1] = min(changed, diagonal + 1, row[rightIndex] + 1)
            }
        }
        return row[right.count]
    }
}
