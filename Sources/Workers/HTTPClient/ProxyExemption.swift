import CLinux
import Glibc

/// Keeps a host away from proxies named in the environment.
///
/// libcurl, under URLSession, obeys `http_proxy` whatever the session's configuration says. A proxy
/// that the machine has for its package downloads must not come between the workers and PHP.
enum ProxyExemption {
    /// Adds a host to `no_proxy`.
    ///
    /// Call it before there is another thread: the environment has no lock.
    static func add(host: String) {
        let current = getenv("no_proxy").map { String(cString: $0) } ?? inherited
        clinux_environment_set("no_proxy", list(current, adding: host))
    }

    /// libcurl reads the lower-case name first and would no longer see the other.
    private static var inherited: String {
        getenv("NO_PROXY").map { String(cString: $0) } ?? ""
    }

    /// The list with the host in it once.
    static func list(_ current: String, adding host: String) -> String {
        let hosts = current.split(separator: ",").map { $0.drop { $0 == " " } }
        if hosts.contains("*") || hosts.contains(Substring(host)) { return current }
        return current.isEmpty ? host : current + "," + host
    }
}
