import Base
import Glibc

/// Reading: from the socket into the arena, or into the connection's own buffer once part of a
/// request had to be kept.
extension ServerLoop {
    /// What became of a run of bytes.
    struct Consumed {
        /// Where the first byte that is still needed stands.
        var start: Int
        /// Where the bytes end; decoding a chunked body lowers it.
        var end: Int
        /// Whether the connection may read on.
        var goesOn: Bool
    }

    /// Serves one connection until it has no more bytes, has a webhook in the group, or is gone.
    func serve(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        if connection.pointee.flags.contains(.isLingering) { return linger(slot) }
        guard connection.pointee.flags.isDisjoint(with: [.isInGroup, .isClosing]) else { return }
        if connection.pointee.flags.contains(.hasUnparsed) {
            connection.pointee.flags.remove(.hasUnparsed)
            guard consumeHeld(slot) else { return }
        }
        while connection.pointee.flags.contains(.isReadable) {
            guard groupHasRoom else { return table.makeReady(slot) }
            let goesOn = connection.pointee.buffer == nil ? readFresh(slot) : readOn(slot)
            guard goesOn else { return }
        }
    }

    // MARK: Into the arena

    private func readFresh(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        let base = arena + arenaUsed
        let room = min(
            limits.arenaBytes - arenaUsed, limits.readBytesMax, budget.readBytesMax)
        guard let count = receive(connection, into: base, countMax: room) else {
            return finished(slot)
        }
        guard count > 0 else { return false }
        let consumed = consume(slot, base, count: count)
        guard connection.pointee.descriptor >= 0 else { return false }
        // The group's bytes stay where they are until it is answered.
        if connection.pointee.flags.contains(.isInGroup) { arenaUsed += consumed.start }
        return keep(slot, base + consumed.start, count: consumed.end - consumed.start)
            && consumed.goesOn
    }

    /// Copies what is left of a read into the connection's own buffer.
    private func keep(
        _ slot: ConnectionTable.Slot,
        _ bytes: UnsafeMutablePointer<UInt8>,
        count: Int
    ) -> Bool {
        let connection = table[slot]
        guard count > 0, !connection.pointee.flags.contains(.isClosing) else { return true }
        guard budget.grow(connection, to: count), let buffer = connection.pointee.buffer else {
            refuse(slot, .stopping)
            return false
        }
        buffer.update(from: bytes, count: count)
        connection.pointee.start = 0
        connection.pointee.end = Int32(count)
        if connection.pointee.flags.contains(.isInGroup) {
            connection.pointee.flags.insert(.hasUnparsed)
        }
        return true
    }

    // MARK: Into the connection's buffer

    private func readOn(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        guard makeRoom(slot) else {
            table.awaitBuffer(slot)
            return false
        }
        guard let buffer = connection.pointee.buffer else { return false }
        let room = Int(connection.pointee.capacity - connection.pointee.end)
        let end = buffer + Int(connection.pointee.end)
        guard let count = receive(connection, into: end, countMax: room) else {
            return finished(slot)
        }
        guard count > 0 else { return false }
        connection.pointee.end += Int32(count)
        return consumeHeld(slot)
    }

    /// Parses what the connection's own buffer holds.
    private func consumeHeld(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        guard let buffer = connection.pointee.buffer else { return true }
        let base = buffer + Int(connection.pointee.start)
        let consumed = consume(slot, base, count: connection.pointee.heldCount)
        guard connection.pointee.descriptor >= 0, connection.pointee.buffer != nil else {
            return false
        }
        let start = connection.pointee.start
        connection.pointee.end = start + Int32(consumed.end)
        connection.pointee.start = start + Int32(consumed.start)
        let isInGroup = connection.pointee.flags.contains(.isInGroup)
        if isInGroup {
            if connection.pointee.heldCount > 0 { connection.pointee.flags.insert(.hasUnparsed) }
        } else if connection.pointee.heldCount == 0 {
            releaseBuffer(slot)
        }
        return consumed.goesOn
    }

    /// Makes room for more of the request: memory follows what has arrived, not what was announced.
    private func makeRoom(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        if connection.pointee.start > 0, let buffer = connection.pointee.buffer {
            memmove(buffer, buffer + Int(connection.pointee.start), connection.pointee.heldCount)
            connection.pointee.end -= connection.pointee.start
            connection.pointee.start = 0
        }
        guard connection.pointee.end == connection.pointee.capacity else { return true }
        let held = connection.pointee.heldCount
        var wanted = max(2 * held, 4_096)
        let known = connection.pointee.parser.byteCountKnown
        if known > held { wanted = min(wanted, known) }
        if budget.grow(connection, to: wanted) { return true }
        guard !budget.hasPrivileged else { return false }
        budget.privilege(connection)
        return budget.grow(connection, to: wanted)
    }

    /// Frees a buffer, and lets the first who waits for one go on.
    func releaseBuffer(_ slot: ConnectionTable.Slot) {
        guard table[slot].pointee.buffer != nil else { return }
        budget.release(table[slot])
        if let next = table.nextAwaitingBuffer() { table.makeReady(next) }
    }

    // MARK: Bytes to requests

    /// - Returns: 0 where nothing is there; nil at the end of the stream, or where it broke.
    private func receive(
        _ connection: UnsafeMutablePointer<Connection>,
        into bytes: UnsafeMutablePointer<UInt8>,
        countMax: Int
    ) -> Int? {
        while true {
            let count = recv(connection.pointee.descriptor, bytes, countMax, 0)
            if count > 0 {
                // Edge-triggered: a short read has emptied the kernel's buffer, unless the peer has
                // finished, which only a read of nothing tells.
                if count < countMax, !connection.pointee.flags.contains(.peerFinishes) {
                    connection.pointee.flags.remove(.isReadable)
                }
                return count
            }
            if count < 0, errno == EINTR { continue }
            connection.pointee.flags.remove(.isReadable)
            if count < 0, errno == EAGAIN { return 0 }
            connection.pointee.flags.insert(.peerFinished)
            return nil
        }
    }

    /// Reads requests from a run of bytes, until one needs more or has to wait for its answer.
    private func consume(
        _ slot: ConnectionTable.Slot,
        _ base: UnsafeMutablePointer<UInt8>,
        count: Int
    ) -> Consumed {
        let connection = table[slot]
        var start = 0
        var end = count
        while start < end {
            var available = end - start
            let step = connection.pointee.parser.advance(
                over: base + start, count: &available, limits: requestLimits)
            end = start + available
            switch step {
            case .needsMore:
                awaitMore(slot)
                return Consumed(start: start, end: end, goesOn: true)
            case .head:
                guard takeHead(slot, base + start) else {
                    return Consumed(start: end, end: end, goesOn: false)
                }
                if connection.pointee.parser.head.hasBody { continue }
                takeRequest(slot, base + start)
                start += Int(connection.pointee.parser.head.body.start)
                connection.pointee.parser = RequestParser()
            case .complete(let byteCount):
                takeRequest(slot, base + start)
                start += byteCount
                connection.pointee.parser = RequestParser()
            case .refused(let refusal):
                refuse(slot, refusal)
                return Consumed(start: end, end: end, goesOn: false)
            }
            guard connection.pointee.descriptor >= 0,
                connection.pointee.flags.isDisjoint(with: [.isInGroup, .isClosing])
            else { return Consumed(start: start, end: end, goesOn: false) }
        }
        return Consumed(start: start, end: end, goesOn: true)
    }

    /// Starts the clock of the part of a request that is being waited for.
    private func awaitMore(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        let timer: Connection.Timer = connection.pointee.parser.hasHead ? .body : .head
        guard connection.pointee.timer != timer else { return }
        startTimer(slot, timer, timer == .head ? limits.headDuration : limits.bodyDuration)
    }

    /// The peer sends no more: half a request is refused, and then there is nothing to wait for.
    private func finished(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        let isInRequest =
            connection.pointee.heldCount > 0 || !connection.pointee.parser.isBetweenRequests
        if isInRequest {
            refuse(slot, .incomplete)
        } else if connection.pointee.output == nil {
            close(slot)
        }
        return false
    }
}
