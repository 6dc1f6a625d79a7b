import Base
import Glibc

/// Why an object did not get into the lake; what each kind means for the object is decided here
/// only.
struct LakeError: Error, Equatable, Sendable, CustomStringConvertible {
    enum Kind: String, Sendable {
        /// No answer, or one that will pass: the same bytes go again, soon and then later and
        /// later.
        case unavailable
        /// The lake answered and will not take objects until a person mends something: a
        /// permission, a name, a path. The same bytes go again, slowly.
        case refused
        /// Under the object's name lie other bytes. They are never replaced; a person must look.
        case conflict
        /// The object's spool file is missing or differs from its recorded hash. It is never
        /// shipped.
        case spoolFault
        /// This lake can never take the object, whole as it is; another one could.
        case unshippable
    }

    let kind: Kind
    let reason: String
    /// What to do about it, where that is known.
    let hint: String?
    /// The shortest wait that the lake asked for.
    let retryAfter: Duration?

    init(_ kind: Kind, _ reason: String, hint: String? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.reason = reason
        self.hint = hint
        self.retryAfter = retryAfter
    }

    /// A failed system call on the way into a directory.
    init(_ error: SystemError) {
        switch error.code {
        case EACCES, EPERM, EROFS, ENOTDIR, ENAMETOOLONG, ELOOP:
            self.init(
                .refused, "\(error)",
                hint: "make the directory of LAKE_URL writable for the user of workers")
        case ENOSPC, EDQUOT:
            self.init(.unavailable, "\(error)", hint: "make room where LAKE_URL points")
        default:
            self.init(.unavailable, "\(error)")
        }
    }

    var description: String { hint.map { "\(reason); \($0)" } ?? reason }

    /// Whether the trouble is this object's alone, so that others may go on.
    var concernsOneObject: Bool {
        switch kind {
        case .unavailable, .refused: false
        case .conflict, .spoolFault, .unshippable: true
        }
    }
}
