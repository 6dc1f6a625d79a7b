import Base
import Foundation

/// The objects of a lake that is a directory, and the spool files on their way to it.
enum LakeFiles {
    /// Objects below LAKE_URL's directory, of the days from `since` on, newest first.
    static func objects(in root: String, since: Timestamp) -> [String] {
        let day = String(since.rfc3339.prefix(10))
        let base = root + "/statuses"
        var paths: [String] = []
        for partition in names(in: base) {
            guard partition.hasPrefix("dt="), partition.dropFirst(3) >= day else { continue }
            for hour in names(in: "\(base)/\(partition)") where hour.hasPrefix("hour=") {
                let directory = "\(base)/\(partition)/\(hour)"
                paths += names(in: directory).filter(isObject).map { "\(directory)/\($0)" }
            }
        }
        return paths
    }

    /// Sealed batches that are not shipped.
    static func spooled(in directory: String) -> [String] {
        names(in: directory).filter(isObject).map { "\(directory)/\($0)" }
    }

    /// Unfinished files begin with a dot.
    private static func isObject(_ name: String) -> Bool {
        !name.hasPrefix(".") && (name.hasSuffix(".ndjson") || name.hasSuffix(".ndjson.gz"))
    }

    private static func names(in directory: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
        return (names ?? []).sorted(by: >)
    }
}
