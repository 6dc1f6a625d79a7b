/// An `http:` or `https:` URL, cut into what is needed to connect and to ask.
public struct WebAddress: Equatable, Sendable {
    /// Whether the scheme is `https`.
    public let isEncrypted: Bool
    /// A name or a numeric address, without brackets.
    public let host: String
    /// 80 or 443 where the text names none; never 0.
    public let port: UInt16
    /// Path and query, as they go into the request line.
    public let target: String

    /// Reads the text of a URL; a fragment is left out.
    ///
    /// - Returns: `nil` for another scheme, a URL with a user name, and what no request line may
    ///   hold.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            let scheme = Self.schemes.first(where: { text.lowercased().hasPrefix($0.prefix) })
        else { return nil }
        let rest = text.dropFirst(scheme.prefix.count).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        guard let (host, port) = Self.split(authority, defaultPort: scheme.port) else { return nil }
        isEncrypted = scheme.isEncrypted
        self.host = host
        self.port = port
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// Where a program of ours that listens on `address` is reached from this machine.
    public init(reaching address: ListenAddress, target: String) {
        isEncrypted = false
        // What listens on all addresses listens on the loopback too.
        switch address.host {
        case "0.0.0.0": host = "127.0.0.1"
        case "::": host = "::1"
        default: host = address.host
        }
        port = address.port
        self.target = target
    }

    private static let schemes: [(prefix: String, isEncrypted: Bool, port: UInt16)] = [
        ("http://", false, 80), ("https://", true, 443),
    ]

    /// Host and port, as the Host field names them.
    public var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The URL again.
    public var text: String { (isEncrypted ? "https://" : "http://") + authority + target }

    private static func split(
        _ authority: Substring,
        defaultPort: UInt16
    ) -> (host: String, port: UInt16)? {
        guard !authority.contains("@") else { return nil }
        var host = authority
        var port = defaultPort
        let afterBracket = authority.lastIndex(of: "]").map { authority.index(after: $0) }
        let tail = authority[(afterBracket ?? authority.startIndex)...]
        if let colon = tail.lastIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(digits), number > 0
            else { return nil }
            host = authority[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("[") else { return nil }
        return (String(host), port)
    }
}
