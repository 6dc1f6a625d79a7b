import Base

/// Looks whether PHP can be reached; sends nothing.
struct ReceiverCheck {
    /// FORWARD_URL, or a destination's of ROUTES.
    let url: String
    /// `php`, or `php:NAME` for a destination of ROUTES.
    var id = "php"

    private static let timeout = Duration.seconds(5)

    func finding() -> Finding {
        guard !url.isEmpty else {
            return .fail(id, "FORWARD_URL is not set", advice: "set it to the receiver's URL")
        }
        guard let address = WebAddress(url) else {
            return .fail(
                id, "FORWARD_URL is no http or https URL",
                advice: "http://HOST:PORT/PATH of the receiver")
        }
        do throws(NetworkFailure) {
            _ = try TCPSocket(
                host: address.host, port: address.port,
                deadline: MonotonicClock.now() + Self.timeout)
        } catch {
            return .fail(
                id, "\(address.authority) cannot be reached (\(error))",
                advice: "start PHP's web server, or mend FORWARD_URL; deliveries wait meanwhile")
        }
        guard address.isEncrypted || Self.isNear(address.host) else {
            return .warn(
                id, "\(address.authority) is reachable, over http",
                advice: "use https: messages travel readable to \(address.host)")
        }
        return .ok(id, "\(address.authority) can be reached")
    }

    /// Whether a host is this machine or in a private network (RFC 1918, RFC 4193), as far as its
    /// name says.
    static func isNear(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        if host.contains(":") {
            let start = host.lowercased().prefix(2)
            return start == "fc" || start == "fd" || host.lowercased().hasPrefix("fe80:")
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt8($0) }
        // A name without a dot is one of this network: a container, a host in /etc/hosts.
        guard numbers.count == 4, parts.count == 4 else { return parts.count == 1 }
        switch (numbers[0], numbers[1]) {
        case (127, _), (10, _), (192, 168), (172, 16...31), (169, 254): return true
        default: return false
        }
    }
}
