/// Something wrong with the lake.
struct LakeProblem: Equatable {
    let kind: Kind
    /// The object's name, or the event key of a double.
    let subject: String
    /// What was found instead of what.
    let detail: String

    /// What can be wrong; the raw values are for scripts.
    enum Kind: String, CaseIterable {
        /// The books say that the lake has the object, and it has not.
        case missing
        /// Sealed and not shipped, and its spool file is gone or differs: statuses are lost unless
        /// a copy of the spool turns up.
        case lost
        /// The object's bytes are not those that were sealed.
        case different
        /// The object cannot be read to its end, or is no gzip.
        case unreadable
        /// Lines in it that are no JSON, or that a query engine would refuse.
        case unreadableLines = "unreadable_lines"
        /// It has more or fewer lines than were sealed.
        case lineCount = "line_count"
        /// This queue's id is in its name, and the queue knows nothing of it.
        case unknown
        /// One host wrote the same status twice.
        case doubled
    }

    /// What to do about it.
    static func advice(on kind: Kind) -> String {
        switch kind {
        case .missing: "look who may delete in the lake; bring it back from a copy or a version"
        case .lost: "look for a copy of the spool directory"
        case .different: "look who may write to the lake; bring it back from a copy or a version"
        case .unreadable: "bring it back from a copy or a version"
        case .unreadableLines: "views leave such lines out; look at them with gzip -dc"
        case .lineCount: "the books were changed, or the object: compare its hash"
        case .unknown: "two machines may run with copies of one queue: see pipelinectl salvage"
        case .doubled: "views count it once; a resend later than DEDUP_WINDOW does this"
        }
    }
}
