import Glibc

/// The environment that this process was started with.
enum ProcessEnvironment {
    /// Names with their values; what is not `NAME=VALUE` is left out.
    static func current() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let text = next.pointee {
            let pieces = String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pieces.count == 2 { variables[String(pieces[0])] = String(pieces[1]) }
            next += 1
        }
        return variables
    }
}
