import Foundation

/// Where a service answers: `https://s3.eu-central-1.amazonaws.com`, or another store's address.
public struct ServiceEndpoint: Sendable, Equatable, CustomStringConvertible {
    /// What an address may be, for messages.
    public static let expected = "http://HOST:PORT or https://HOST"

    let scheme: String
    /// With the port where it is not the scheme's own; IPv6 in brackets.
    let host: String
    /// In front of every path; empty, or with a slash in front and none at the end.
    let path: String

    /// Reads an address without query and without user; nil for what is none of ``expected``.
    public init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.encodedHost, !host.isEmpty,
            parts.query == nil, parts.fragment == nil, parts.user == nil, URL(string: text) != nil
        else { return nil }
        self.scheme = scheme
        let ownPort = scheme == "https" ? 443 : 80
        let port = parts.port.flatMap { $0 == ownPort ? nil : ":\($0)" } ?? ""
        self.host = host.lowercased() + port
        var path = Substring(parts.percentEncodedPath)
        while path.hasSuffix("/") { path = path.dropLast() }
        guard !path.contains("%") else { return nil }
        self.path = String(path)
    }

    init(host: String) {
        scheme = "https"
        self.host = host
        path = ""
    }

    /// The address of a service of Amazon's own.
    ///
    /// Source: AWS General Reference, "Service endpoints and quotas"; the suffix follows from the
    /// partition, which a region's first letters name.
    static func amazon(_ service: String, region: String) -> ServiceEndpoint {
        ServiceEndpoint(host: "\(service).\(region).\(suffix(ofRegion: region))")
    }

    private static func suffix(ofRegion region: String) -> String {
        if region.hasPrefix("cn-") { return "amazonaws.com.cn" }
        if region.hasPrefix("us-iso-") { return "c2s.ic.gov" }
        if region.hasPrefix("us-isob-") { return "sc2s.sgov.gov" }
        if region.hasPrefix("eusc-") { return "amazonaws.eu" }
        return "amazonaws.com"
    }

    /// The host alone, without port and brackets: what `no_proxy` wants.
    var bareHost: String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }

    /// The address as it was meant.
    public var description: String { "\(scheme)://\(host)\(path)" }
}

extension URLComponents {
    /// The host as it stands in the address, IPv6 in its brackets.
    fileprivate var encodedHost: String? {
        guard let host = percentEncodedHost, host.contains(":"), !host.hasPrefix("[") else {
            return percentEncodedHost
        }
        return "[\(host)]"
    }
}

extension ServiceEndpoint {
    private init(scheme: String, host: String, path: String) {
        self.scheme = scheme
        self.host = host
        self.path = path
    }

    /// The same service under a name in front of its host's.
    func adding(subdomain: String) -> ServiceEndpoint {
        ServiceEndpoint(scheme: scheme, host: "\(subdomain).\(host)", path: path)
    }
}
