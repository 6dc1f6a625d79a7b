/// A range of addresses, `10.0.0.0/8` say.
struct Network: Equatable, Sendable {
    let address: IPAddress
    /// Of 128 bits, also for IPv4.
    let prefixBitCount: Int

    /// Reads `address` or `address/bits`; bits beyond the prefix must be zero.
    init?(_ text: Substring) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first,
            let address = Array(first.utf8).withUnsafeBytes({ IPAddress($0) })
        else { return nil }
        let width = address.isVersion4 ? 32 : 128
        var bitCount = width
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard 1...3 ~= digits.count, digits.allSatisfy(ByteClass.isDigit),
                let number = Int(parts[1]), number <= width
            else { return nil }
            bitCount = number
        }
        self.address = address
        prefixBitCount = bitCount + 128 - width
        guard masked(address) == address else { return nil }
    }

    func contains(_ other: IPAddress) -> Bool { masked(other) == address }

    private func masked(_ other: IPAddress) -> IPAddress {
        // A shift by 64 or more gives zero.
        let high = prefixBitCount >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(prefixBitCount))
        let lowBitCount = max(0, prefixBitCount - 64)
        let low = lowBitCount >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(lowBitCount))
        return IPAddress(high: other.high & high, low: other.low & low)
    }
}

/// Whose X-Forwarded-For is believed: `INGEST_TRUSTED_PROXIES`.
struct TrustedProxies: Sendable {
    let networks: [Network]

    /// Trusts nobody.
    init() { networks = [] }

    /// - Returns: nil where an element is no address and no network.
    init?(_ text: String) {
        var networks: [Network] = []
        for element in text.split(separator: ",") {
            guard let network = Network(element.trimmingBlanks) else { return nil }
            networks.append(network)
        }
        self.networks = networks
    }

    func contains(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
