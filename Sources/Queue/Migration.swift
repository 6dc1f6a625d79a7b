/// One step of the schema, forward only; its text is embedded into the binary at build time.
struct Migration {
    /// The schema version that this migration leads to; versions count from 1 without a gap.
    let version: Int
    /// The oldest program version that can still work with a file after this migration.
    let compatibleFrom: Int
    let sql: SQL

    /// Every migration, oldest first.
    ///
    /// A test holds this list against the folder.
    static let all: [Migration] = [
        Migration(version: 1, compatibleFrom: 1, resource: PackageResources._001_queue_sql),
        Migration(version: 2, compatibleFrom: 1, resource: PackageResources._002_lake_progress_sql),
        Migration(version: 3, compatibleFrom: 1, resource: PackageResources._003_destinations_sql),
        Migration(
            version: 4, compatibleFrom: 1, resource: PackageResources._004_dead_letters_sql),
    ]

    /// The schema that this program writes and needs.
    static var newestVersion: Int { all.count }

    private init(version: Int, compatibleFrom: Int, resource: [UInt8]) {
        self.version = version
        self.compatibleFrom = compatibleFrom
        sql = SQL(text: String(decoding: resource, as: UTF8.self))
    }
}
