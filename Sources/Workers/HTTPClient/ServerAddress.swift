import CLinux
import Glibc

/// A socket address as the kernel takes it.
struct ServerAddress: Sendable, Equatable {
    let family: Int32
    let bytes: [UInt8]

    /// Looks a host up; blocks as long as the system's resolver does.
    ///
    /// - Returns: addresses in the resolver's order; none where the name means none.
    static func lookUp(_ host: String, port: UInt16, isNumeric: Bool) -> [ServerAddress] {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : 0)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }

        var addresses: [ServerAddress] = []
        var next = list
        while let entry = next?.pointee {
            let bytes = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
            addresses.append(ServerAddress(family: entry.ai_family, bytes: Array(bytes)))
            next = entry.ai_next
        }
        return addresses
    }

    /// Whether nothing is ever sent there: link-local addresses, where clouds keep the credentials
    /// of a machine, their metadata services elsewhere, and what is no single host.
    ///
    /// The operator names the host, but whoever answers for its name chooses the address.
    var isRefused: Bool {
        switch family {
        case AF_INET where bytes.count >= 8:
            Self.isRefused(version4: bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) })
        case AF_INET6 where bytes.count >= 24:
            Self.isRefused(version6: Array(bytes[8..<24]))
        default:
            true
        }
    }

    private static func isRefused(version4 bits: UInt32) -> Bool {
        switch bits >> 24 {
        case 0, 224...255: true  // "this host", multicast, reserved
        case 169: bits >> 16 == 0xA9FE  // 169.254.0.0/16
        case 100: bits == 0x6464_64C8  // 100.100.100.200, metadata at Alibaba
        case 192: bits == 0xC000_00C0  // 192.0.0.192, metadata at Oracle
        default: false
        }
    }

    private static func isRefused(version6 address: [UInt8]) -> Bool {
        let low = address[12...].reduce(0) { $0 << 8 | UInt32($1) }
        let starts = { (prefix: [UInt8]) in address.starts(with: prefix) }
        let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
        // IPv4 in the clothes of IPv6: mapped (RFC 4291) and translated (RFC 6052).
        if starts(zeros(10) + [0xFF, 0xFF]) || starts([0, 0x64, 0xFF, 0x9B] + zeros(8)) {
            return isRefused(version4: low)
        }
        return address[0] == 0xFF  // multicast
            || (address[0] == 0xFE && address[1] & 0xC0 == 0x80)  // fe80::/10
            || starts([0xFD, 0x00, 0x0E, 0xC2])  // fd00:ec2::/32, metadata at Amazon
            || starts([0xFD, 0x20, 0x00, 0xCE])  // fd20:ce::/32, metadata at Google
            || address == zeros(16)
    }
}
