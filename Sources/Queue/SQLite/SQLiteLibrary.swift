import CSQLite

/// The SQLite library that this program runs with.
public enum SQLiteLibrary {
    /// A release of SQLite.
    public struct Version: Sendable, Equatable, Comparable, CustomStringConvertible {
        /// As SQLite counts it: 3.40.1 is 3040001.
        public let number: Int

        /// - Parameter number: as `sqlite3_libversion_number` returns it.
        public init(number: Int) { self.number = number }

        /// Earlier releases are less.
        public static func < (left: Version, right: Version) -> Bool { left.number < right.number }

        /// `3.40.1`.
        public var description: String {
            "\(number / 1_000_000).\(number / 1_000 % 1_000).\(number % 1_000)"
        }

        /// Whether a checkpoint of one process that races with a commit of another can lose
        /// committed pages (https://www.sqlite.org/wal.html#the_wal_reset_bug).
        ///
        /// From 3.7.0 on, where WAL mode began; mended in 3.51.3, and in the branches of 3.50 from
        /// 3.50.7 and of 3.44 from 3.44.6. The ``Gate`` keeps a queue safe with any of them.
        public var hasWALResetBug: Bool {
            switch number {
            case ..<3_007_000: false
            case 3_044_006..<3_045_000: false
            case 3_050_007..<3_051_000: false
            default: number < 3_051_003
            }
        }
    }

    /// The version of the library at run time, which may be newer than at build time.
    public static var version: Version { Version(number: Int(sqlite3_libversion_number())) }
}

extension QueueSession {
    /// The newest schema that this program knows.
    public static var newestSchemaVersion: Int { Migration.newestVersion }
}
