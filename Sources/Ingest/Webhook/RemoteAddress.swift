/// Who sent a request: the right-most hop of X-Forwarded-For that is no proxy of ours.
///
/// Each proxy appends the address it was reached from. So the list is read from its right end, as
/// long as the speaker is trusted: what stands left of the first stranger is that stranger's claim.
struct RemoteAddress {
    let proxies: TrustedProxies

    /// The sender's address, as bytes of the request head, or nil for the peer itself.
    ///
    /// A hop that is no address ends the walk: the last trusted speaker before it is the answer.
    /// Where all hops are trusted it is the left-most.
    func sender(of head: RequestHead, at base: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer? {
        if head.forwardedForCount == 1 {
            return walk(head.forwardedFor.bytes(at: base)).address
        }
        var sender: UnsafeRawBufferPointer?
        for line in Self.lines(of: head, at: base).reversed() {
            let (address, goesOn) = walk(line)
            sender = address ?? sender
            guard goesOn else { break }
        }
        return sender
    }

    /// Walks one line from right to left.
    ///
    /// - Returns: the last address that was believed; whether a line before may be read too.
    private func walk(
        _ line: UnsafeRawBufferPointer
    ) -> (address: UnsafeRawBufferPointer?, goesOn: Bool) {
        var believed: UnsafeRawBufferPointer?
        var end = line.count
        while end >= 0 {
            var start = end
            while start > 0, line[start - 1] != ByteClass.comma { start -= 1 }
            let hop = Self.host(UnsafeRawBufferPointer(rebasing: line[start..<end]).trimmed)
            guard let address = IPAddress(hop) else { return (believed, false) }
            believed = hop
            guard proxies.contains(address) else { return (believed, false) }
            end = start - 1
        }
        return (believed, true)
    }

    /// Without the port and the brackets that some proxies add.
    private static func host(_ hop: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if hop.first == ByteClass.bracketOpen {
            guard let close = hop.firstIndex(of: ByteClass.bracketClose) else { return hop }
            return UnsafeRawBufferPointer(rebasing: hop[1..<close])
        }
        guard let colon = hop.firstIndex(of: ByteClass.colon),
            hop.lastIndex(of: ByteClass.colon) == colon
        else { return hop }
        return UnsafeRawBufferPointer(rebasing: hop[..<colon])
    }

    /// All X-Forwarded-For lines of a head, in order.
    ///
    /// Rare: proxies append to the line there is.
    private static func lines(
        of head: RequestHead,
        at base: UnsafePointer<UInt8>
    ) -> [UnsafeRawBufferPointer] {
        let bytes = UnsafeRawBufferPointer(start: base, count: Int(head.body.start))
        var lines: [UnsafeRawBufferPointer] = []
        for line in bytes.split(separator: ByteClass.lineFeed) {
            guard let colon = line.firstIndex(of: ByteClass.colon) else { continue }
            let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
            guard Field(name) == .forwardedFor else { continue }
            let end = line.last == ByteClass.carriageReturn ? line.endIndex - 1 : line.endIndex
            lines.append(UnsafeRawBufferPointer(rebasing: line[(colon + 1)..<end]).trimmed)
        }
        return lines
    }
}
