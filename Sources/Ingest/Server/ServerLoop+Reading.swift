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

    /// Serves one connection until it has no more bytes, has had its turn, has a webhook in the
    /// group or an answer that it does not take, or is gone.
    func serve(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        if connection.pointee.flags.contains(.isLingering) { return linger(slot) }
        guard connection.pointee.mayConsume else { return }
        answersThisTurn = 0
        if connection.pointee.flags.contains(.hasUnparsed) {
            connection.pointee.flags.remove(.hasUnparsed)
            guard consumeHeld(slot) else { return }
        }
        var readCount = 0
        while connection.pointee.flags.contains(.isReadable) {
            guard groupHasRoom, readCount < limits.readsPerTurnMax else {
                return table.makeReady(slot)
            }
            readCount += 1
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
        // Of a webhook in the group the bytes stay where they are.
        let isInGroup = connection.pointee.flags.contains(.isInGroup)
        if connection.pointee.heldCount == 0, !isInGroup { releaseBuffer(slot) }
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
        // Its share first, which nobody can take from it.
        var wanted = held < budget.shareBytes ? budget.shareBytes : max(2 * held, 4_096)
        let known = connection.pointee.parser.byteCountKnown
        if known > held { wanted = min(wanted, known) }
        if budget.grow(connection, to: wanted) { return true }
        if !budget.hasPrivileged {
            budget.privilege(connection)
            return budget.grow(connection, to: wanted)
        }
        return giveUpSlow(for: slot) && budget.grow(connection, to: wanted)
    }

    /// Refuses one of those who have held memory longest, if it brings hardly anything.
    ///
    /// - Returns: false where nobody is that slow.
    private func giveUpSlow(for slot: ConnectionTable.Slot) -> Bool {
        for timer in [Connection.Timer.head, .body] {
            var candidate = table.first(of: timer)
            for _ in 0..<Self.slowCandidatesMax {
                guard let other = candidate else { break }
                candidate = table.following(other)
                guard other != slot, isSlow(table[other], timer) else { continue }
                refuse(other, .tooSlow)
                return true
            }
        }
        return false
    }

    private static var slowCandidatesMax: Int { 16 }

    private func isSlow(
        _ connection: UnsafeMutablePointer<Connection>,
        _ timer: Connection.Timer
    ) -> Bool {
        let limit = timer == .head ? limits.headDuration : limits.bodyDuration
        let nanoseconds = now - (connection.pointee.deadline - limit.nanoseconds)
        guard nanoseconds >= limits.slowDurationMin.nanoseconds,
            Int(connection.pointee.capacity) > budget.shareBytes
        else { return false }
        let bytesPerSecond = Int64(connection.pointee.heldCount) * Self.nanosecondsPerSecond
        return bytesPerSecond / nanoseconds < Int64(limits.slowBytesPerSecond)
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
            answersThisTurn += 1
            if !mayConsumeOn(slot, hasMore: start < end) {
                return Consumed(start: start, end: end, goesOn: false)
            }
        }
        return Consumed(start: start, end: end, goesOn: true)
    }

    /// Whether the next request of a connection may be read at once; if not, it is left for later.
    private func mayConsumeOn(_ slot: ConnectionTable.Slot, hasMore: Bool) -> Bool {
        let connection = table[slot]
        let hadItsTurn = answersThisTurn >= limits.answersPerTurnMax
        if connection.pointee.mayConsume, !hadItsTurn { return true }
        guard connection.pointee.descriptor >= 0 else { return false }
        if hasMore { connection.pointee.flags.insert(.hasUnparsed) }
        if hadItsTurn, connection.pointee.mayConsume { table.makeReady(slot) }
        return false
    }

    /// Starts the clock of the part of a request that is being waited for.
    func awaitMore(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        // An empty line begins no request, and buys no time either.
        guard !connection.pointee.parser.isBetweenRequests else { return }
        let timer: Connection.Timer = connection.pointee.parser.hasHead ? .body : .head
        guard connection.pointee.timer != timer else { return }
        startTimer(slot, timer, timer == .head ? limits.headDuration : limits.bodyDuration)
    }

    /// The peer sends no more: half a request is refused, and then there is nothing to wait for.
    private func finished(_ slot: ConnectionTable.Slot) -> Bool {
        let connection = table[slot]
        if !connection.pointee.parser.isBetweenRequests {
            refuse(slot, .incomplete)
        } else if connection.pointee.output == nil {
            close(slot)
        }
        return false
    }
}
