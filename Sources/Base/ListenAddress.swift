import CLinux
import Glibc

/// An address and a port to listen on.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A numeric IPv4 or IPv6 address, without brackets.
    public let host: String
    /// 0 lets the kernel choose.
    public let port: UInt16

    /// An address from its parts; `host` is numeric.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`, which is the first.
    ///
    /// Other names are refused: what they mean may change between two starts.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")),
            let port = DecimalText.number(bytes[(colon + 1)...]).flatMap(UInt16.init(exactly:))
        else { return nil }
        var host = String(decoding: bytes[..<colon], as: UTF8.self)
        var family = AF_INET
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            family = AF_INET6
        } else if host == "localhost" {
            host = "127.0.0.1"
        }
        var address = in6_addr()
        guard inet_pton(family, host, &address) == 1 else { return nil }
        self.init(host: host, port: port)
    }

    /// As it is written in the configuration.
    public var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Opens a TCP socket that listens here, without blocking on accept.
    ///
    /// - Parameter backlog: how many connections may wait to be accepted.
    /// - Returns: the socket; its port is ``localPort(of:)``.
    /// - Throws: ``SystemError`` with the address as its path; `EADDRINUSE`: the port is taken.
    public func listen(backlog: Int32) throws(SystemError) -> Descriptor {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let first = list?.pointee else {
            throw SystemError(call: "getaddrinfo", code: EINVAL, path: description)
        }
        defer { freeaddrinfo(list) }

        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let listener = Descriptor(
            adopting: try systemCall("socket", path: description) {
                socket(first.ai_family, Int32(type), 0)
            }
        )
        // Connections of the run before that linger do not keep this one from its port.
        var one: Int32 = 1
        setsockopt(listener.rawValue, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        try systemCall("bind", path: description) {
            bind(listener.rawValue, first.ai_addr, first.ai_addrlen)
        }
        try systemCall("listen", path: description) { Glibc.listen(listener.rawValue, backlog) }
        return listener
    }

    /// The port a socket is bound to: the kernel's choice where 0 was asked for.
    public static func localPort(of socket: Int32) -> UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &length)
            }
        }
        // Both families keep the port in the same place.
        return result == 0 ? UInt16(bigEndian: address.sin6_port) : 0
    }
}
