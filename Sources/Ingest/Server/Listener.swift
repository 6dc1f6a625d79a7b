import Base
import CLinux
import Glibc

/// The listening socket: our own, or the one systemd hands over.
final class Listener {
    private let socket: Descriptor
    /// Somebody else keeps it open: connections that wait in it are not lost when we go.
    let isInherited: Bool

    var descriptor: Int32 { socket.rawValue }

    /// The first descriptor after standard error, by systemd's protocol (sd_listen_fds).
    private static let firstInherited: Int32 = 3

    /// Takes over the socket that `LISTEN_FDS` offers to this process, or opens one.
    ///
    /// - Throws: ``SystemError``; `EADDRINUSE` where the port is taken.
    init(_ address: ListenAddress, environment: [String: String]) throws(SystemError) {
        let offer = environment["LISTEN_PID"] == "\(getpid())" && environment["LISTEN_FDS"] == "1"
        isInherited = offer
        socket = offer ? try Self.inherited() : try Self.listen(address)
    }

    private static func inherited() throws(SystemError) -> Descriptor {
        let flags = try systemCall("fcntl") { fcntl(firstInherited, F_GETFL) }
        try systemCall("fcntl") { fcntl(firstInherited, F_SETFL, flags | O_NONBLOCK) }
        try systemCall("fcntl") { fcntl(firstInherited, F_SETFD, FD_CLOEXEC) }
        return Descriptor(adopting: firstInherited)
    }

    /// The port it listens on: the kernel's choice where 0 was asked for.
    var port: UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length)
            }
        }
        guard result == 0 else { return 0 }
        // Both families keep the port in the same place.
        return withUnsafeBytes(of: storage) { bytes in
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    private static func listen(_ address: ListenAddress) throws(SystemError) -> Descriptor {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &found) == 0, let first = found
        else { throw SystemError(call: "getaddrinfo", code: EINVAL, path: address.description) }
        defer { freeaddrinfo(found) }

        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = try systemCall("socket") { Glibc.socket(first.pointee.ai_family, type, 0) }
        let descriptor = Descriptor(adopting: raw)
        var one: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        try systemCall("bind", path: address.description) {
            bind(raw, first.pointee.ai_addr, first.pointee.ai_addrlen)
        }
        try systemCall("listen", path: address.description) { Glibc.listen(raw, 4_096) }
        return descriptor
    }

    /// What one look into the queue of waiting connections gave.
    enum Accepted {
        case connection(Int32, IPAddress)
        case none
        /// No descriptor or memory is left for another connection.
        case exhausted
    }

    /// Takes one waiting connection; never blocks.
    func accept() -> Accepted {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let raw = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    clinux_accept4(descriptor, address, &length, flags)
                }
            }
            guard raw < 0 else { return .connection(raw, Self.address(storage)) }
            switch errno {
            case EAGAIN: return .none
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // The connection died while it waited; the next one may live.
            default: continue
            }
        }
    }

    private static func address(_ storage: sockaddr_storage) -> IPAddress {
        withUnsafeBytes(of: storage) { bytes in
            guard Int32(storage.ss_family) == AF_INET6 else {
                let bits = bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
                return IPAddress(version4: UInt32(bigEndian: bits))
            }
            return IPAddress(bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
        }
    }
}
