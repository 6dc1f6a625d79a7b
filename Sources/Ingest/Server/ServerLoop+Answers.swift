import Base
import Glibc

/// Answers: sent at once, kept where the client does not take them, and the end of a connection.
extension ServerLoop {
    /// Refuses what cannot be read on: answers, and closes once the client has the answer.
    func refuse(_ slot: ConnectionTable.Slot, _ refusal: Refusal) {
        count(refusal)
        answer(slot, refusal.status, .close)
    }

    func count(_ refusal: Refusal) { metrics.refusals[Int(refusal.rawValue)].add() }

    /// Sends an answer without a body.
    func answer(
        _ slot: ConnectionTable.Slot,
        _ status: HTTPStatus,
        _ persistence: AnswerTable.Persistence,
        isCounted: Bool = false
    ) {
        if !isCounted { metrics.requests[status].add() }
        let closes = persistence == .close || stopDeadline != nil
        send(slot, answers.answer(status, closes ? .close : persistence), closes: closes)
    }

    func sendContinuation(_ slot: ConnectionTable.Slot) {
        let text = AnswerTable.continuation
        let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        transmit(slot, bytes)
    }

    /// Sends a last or an ordinary answer, and starts what comes after it.
    func send(_ slot: ConnectionTable.Slot, _ bytes: UnsafeRawBufferPointer, closes: Bool) {
        let connection = table[slot]
        if closes { connection.pointee.flags.insert(.isClosing) }
        transmit(slot, bytes)
        guard connection.pointee.descriptor >= 0, connection.pointee.output == nil else { return }
        sent(slot)
    }

    /// The kernel has all of the answer.
    private func sent(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        if connection.pointee.flags.contains(.isClosing) { return startLingering(slot) }
        startTimer(slot, .idle, limits.idleDuration)
    }

    /// All that was kept has been sent: goes on where reading had stopped for it.
    private func flushed(_ slot: ConnectionTable.Slot) {
        sent(slot)
        let connection = table[slot]
        guard connection.pointee.mayConsume else { return }
        if !connection.pointee.flags.isDisjoint(with: [.hasUnparsed, .isReadable]) {
            table.makeReady(slot)
        } else if connection.pointee.flags.contains(.peerFinished) {
            close(slot)
        } else {
            awaitMore(slot)
        }
    }

    private func transmit(_ slot: ConnectionTable.Slot, _ bytes: UnsafeRawBufferPointer) {
        let connection = table[slot]
        guard connection.pointee.output == nil else { return keepOutput(slot, bytes) }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        var count = Glibc.send(connection.pointee.descriptor, bytes.baseAddress, bytes.count, flags)
        if count == bytes.count { return }
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else { return close(slot) }
            count = 0
        }
        keepOutput(slot, UnsafeRawBufferPointer(rebasing: bytes[count...]))
    }

    /// Keeps what the kernel did not take; bounded, since nothing is read behind it.
    private func keepOutput(_ slot: ConnectionTable.Slot, _ bytes: UnsafeRawBufferPointer) {
        let connection = table[slot]
        let held =
            connection.pointee.output == nil
            ? 0 : Int(connection.pointee.outputEnd - connection.pointee.outputStart)
        guard held + bytes.count <= 4_096,
            let grown = malloc(held + bytes.count), let source = bytes.baseAddress
        else { return close(slot) }
        if let old = connection.pointee.output {
            memcpy(grown, old + Int(connection.pointee.outputStart), held)
            free(old)
        }
        memcpy(grown + held, source, bytes.count)
        connection.pointee.output = grown.assumingMemoryBound(to: UInt8.self)
        connection.pointee.outputStart = 0
        connection.pointee.outputEnd = Int32(held + bytes.count)
        startTimer(slot, .write, limits.writeDuration)
    }

    /// The client takes bytes again.
    func flushOutput(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        guard let output = connection.pointee.output else { return }
        let rest = Int(connection.pointee.outputEnd - connection.pointee.outputStart)
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = Glibc.send(
            connection.pointee.descriptor, output + Int(connection.pointee.outputStart), rest,
            flags)
        if count < 0 {
            if errno != EAGAIN && errno != EINTR { close(slot) }
            return
        }
        connection.pointee.outputStart += Int32(count)
        guard count == rest else { return }
        free(output)
        connection.pointee.output = nil
        flushed(slot)
    }

    // MARK: The end of a connection

    /// Closes our side and reads the rest, so that the answer arrives instead of a reset.
    private func startLingering(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        releaseBuffer(slot)
        guard !connection.pointee.flags.contains(.peerFinished) else { return close(slot) }
        shutdown(connection.pointee.descriptor, Int32(SHUT_WR))
        connection.pointee.flags.insert([.isLingering, .isReadable])
        startTimer(slot, .linger, limits.lingerDuration)
        table.makeReady(slot)
    }

    /// Reads and drops.
    func linger(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { scrap in
            // A fast sender must not keep the loop: the rest waits for the next turn.
            for _ in 0..<16 {
                let count = recv(connection.pointee.descriptor, scrap.baseAddress, scrap.count, 0)
                if count > 0 {
                    connection.pointee.lingerBytes += Int32(count)
                    guard Int(connection.pointee.lingerBytes) <= limits.lingerBytesMax else {
                        return close(slot)
                    }
                    continue
                }
                if count < 0, errno == EAGAIN || errno == EINTR {
                    connection.pointee.flags.remove(.isReadable)
                    return
                }
                return close(slot)
            }
            table.makeReady(slot)
        }
    }

    /// Gives a connection up, with everything it holds.
    func close(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        guard connection.pointee.descriptor >= 0 else { return }
        guard !connection.pointee.flags.contains(.isInGroup) else {
            // Its webhook is stored from this memory: the connection goes once the group is done.
            connection.pointee.flags.insert(.isClosing)
            return
        }
        releaseBuffer(slot)
        free(connection.pointee.output)
        connection.pointee.output = nil
        Glibc.close(connection.pointee.descriptor)
        table.close(slot)
        metrics.connections.set(Double(table.openCount))
    }
}
