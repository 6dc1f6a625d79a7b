import Base
import Glibc
import Queue

/// The group: stored in one transaction, then answered; or refused as a whole.
extension ServerLoop {
    /// Stores the group where the gate can be had, or begins to wait for it.
    func commitOrWait() {
        if let groupWaitsSince {
            guard now - groupWaitsSince >= limits.gateWaitMax.nanoseconds else { return }
            self.groupWaitsSince = nil
            return refuseGroup(.gate)
        }
        guard !members.isEmpty else { return }
        guard !gateIsAsked, sink.tryLock() else {
            if !gateIsAsked { gateWaiter.ask() }
            gateIsAsked = true
            groupWaitsSince = now
            return
        }
        commit()
    }

    /// The helper thread has the gate: it is ours now.
    func gateGranted() {
        gateWaiter.granted.drain()
        guard gateIsAsked else { return }
        gateIsAsked = false
        groupWaitsSince = nil
        if members.isEmpty {
            sink.unlock()
        } else {
            commit()
        }
    }

    /// Stores, gives the gate up, and answers; the gate is held.
    private func commit() {
        let start = LoopClock.now()
        do throws(QueueError) {
            defer { sink.unlock() }

            try sink.append(webhooks)
        } catch {
            return fail(error)
        }
        now = LoopClock.now()
        metrics.commitDuration.observe(.nanoseconds(now - start))
        metrics.commitWebhooks.observe(count: members.count)
        metrics.webhooks.add(members.count)
        metrics.webhookBytes.add(groupBytes)
        // What was stored is safe already: other programs write while this one answers.
        answerGroup()
        relieveWhenDue()
    }

    /// Checkpoints where it is due and nobody else writes; else after one of the next groups.
    private func relieveWhenDue() {
        guard sink.needsRelief(), sink.tryLock() else { return }
        defer { sink.unlock() }

        do throws(QueueError) {
            try sink.relieve()
        } catch {
            report(error, "the WAL cannot be moved into the database")
        }
    }

    private func fail(_ error: QueueError) {
        metrics.commitFailures.add()
        report(error, "webhooks cannot be stored, answered 503")
        refuseGroup(.commit)
    }

    private func report(_ error: QueueError, _ message: StaticString) {
        // Under load there are thousands of these a second; the metric counts them all.
        if now >= nextFailureLine {
            nextFailureLine = now + Self.nanosecondsPerSecond
            log.error(message, ["reason": .describing(error)])
        }
        // A second sync may succeed without having written: nothing may be acknowledged after it.
        if case .syncFailed = error { failure = error }
    }

    private func answerGroup() {
        metrics.requests[.ok].add(members.count)
        for member in members {
            guard isThere(member) else { continue }
            metrics.acknowledgementDuration.observe(.nanoseconds(now - member.completedAt))
            leaveGroup(member.slot)
            answer(member.slot, .ok, member.persistence, isCounted: true)
            resume(member.slot)
        }
        clearGroup()
    }

    private func refuseGroup(_ refusal: Refusal) {
        for member in members {
            count(refusal)
            guard isThere(member) else { continue }
            leaveGroup(member.slot)
            answer(member.slot, refusal.status, member.persistence)
            resume(member.slot)
        }
        clearGroup()
    }

    private func isThere(_ member: Member) -> Bool {
        let connection = table[member.slot]
        return connection.pointee.descriptor >= 0
            && connection.pointee.generation == member.generation
    }

    private func leaveGroup(_ slot: ConnectionTable.Slot) {
        table[slot].pointee.flags.remove(.isInGroup)
    }

    /// Goes on with what came behind the request that was answered.
    private func resume(_ slot: ConnectionTable.Slot) {
        let connection = table[slot]
        guard connection.pointee.descriptor >= 0,
            !connection.pointee.flags.contains(.isClosing)
        else { return }
        if connection.pointee.heldCount == 0 { releaseBuffer(slot) }
        if !connection.pointee.flags.isDisjoint(with: [.hasUnparsed, .isReadable]) {
            table.makeReady(slot)
        }
    }

    private func clearGroup() {
        webhooks.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
        groupBytes = 0
        arenaUsed = 0
    }
}
