/// The tables and views through which a query engine sees the lake: lake/tables, filled in.
struct LakeTables {
    let engine: Engine
    /// What `statuses/` stands in, without a slash at the end: `s3://bucket/prefix`, a directory.
    let location: String

    /// Who reads the lake.
    enum Engine: String, CaseIterable {
        case athena
        case duckdb
    }

    /// One table or view.
    struct Statement: Equatable {
        /// What it makes.
        let name: String
        /// Its SQL with the comment above it, without a semicolon.
        let sql: String
    }

    /// What each engine is given, in this order: a view stands on those before it.
    static let names = ["status_raw", "status_line", "status", "message"]

    /// Why a location cannot be used.
    enum Refusal: Error, Equatable {
        /// Athena reads S3 and nothing else.
        case notS3
        /// DuckDB would take a part of the path for a pattern, or the SQL would break in it.
        case unsafeCharacters
    }

    /// - Throws: ``Refusal``.
    init(_ engine: Engine, at location: String) throws(Refusal) {
        var location = Substring(location)
        while location.hasSuffix("/"), location.utf8.count > 1 { location = location.dropLast() }
        let isPlain = location.unicodeScalars.allSatisfy { scalar in
            !HostileText.isHidden(scalar) && !"'*?[]{}$\\".unicodeScalars.contains(scalar)
        }
        guard isPlain, !location.isEmpty else { throw .unsafeCharacters }
        if engine == .athena {
            let bucket = location.dropFirst("s3://".count).prefix { $0 != "/" }
            guard location.hasPrefix("s3://"), !bucket.isEmpty else { throw .notS3 }
        }
        self.engine = engine
        self.location = String(location)
    }

    /// The statements in the order of ``names``.
    var statements: [Statement] {
        let pieces = text.split(separator: ";\n").map { piece in
            String(piece.drop { $0 == "\n" })
        }
        precondition(pieces.count == Self.names.count, "one statement for each name")
        return zip(Self.names, pieces).map { Statement(name: $0, sql: $1) }
    }

    /// All of it, to be read by a person or run in one go where the engine does that.
    var text: String {
        let template =
            switch engine {
            case .athena: PackageResources.athena_sql
            case .duckdb: PackageResources.duckdb_sql
            }
        return String(decoding: template, as: UTF8.self)
            .split(separator: "{{location}}", omittingEmptySubsequences: false)
            .joined(separator: location)
    }
}
