import Base
import Glibc
import Queue
import WhatsApp

/// Requests: what is decided by the head, the handshake, and webhooks on their way into the group.
extension ServerLoop {
    /// Decides over a request whose head is complete.
    ///
    /// - Returns: false where it was refused: its body, if any, is not read.
    func takeHead(_ slot: ConnectionTable.Slot, _ base: UnsafeMutablePointer<UInt8>) -> Bool {
        let connection = table[slot]
        let head = connection.pointee.parser.head
        if let refusal = route.refusal(of: head, at: UnsafePointer(base), closed: closedNow) {
            guard isWorthReading(head) else {
                refuse(slot, refusal)
                return false
            }
            connection.pointee.pendingRefusal = refusal
            return true
        }
        if head.marks.contains(.expectsContinue), head.minorVersion > 0, head.hasBody {
            sendContinuation(slot)
        }
        return connection.pointee.descriptor >= 0
    }

    /// Whether a refused request is read to its end, so that its connection can go on: the refusal
    /// costs the client no new connection, and broken framing is still called what it is.
    private func isWorthReading(_ head: RequestHead) -> Bool {
        !head.marks.contains(.expectsContinue) && head.contentLength <= Self.refusedBodyBytesMax
    }

    /// A larger body is not read for the sake of the connection.
    private static var refusedBodyBytesMax: Int64 { 65_536 }

    /// Why a webhook cannot be taken at this moment.
    private var closedNow: Refusal? {
        if let closed { return closed }
        // The gate has been held for longer than a group waits: more would only wait too.
        return gateIsAsked && groupWaitsSince == nil ? .gate : nil
    }

    /// Takes a complete request: answers it, or puts its webhook into the group.
    func takeRequest(_ slot: ConnectionTable.Slot, _ base: UnsafeMutablePointer<UInt8>) {
        let connection = table[slot]
        let head = connection.pointee.parser.head
        if let refusal = connection.pointee.pendingRefusal {
            connection.pointee.pendingRefusal = nil
            count(refusal)
            return answer(slot, refusal.status, persistence(of: head))
        }
        switch head.method {
        case .get, .head: answerHandshake(slot, head, UnsafePointer(base))
        case .post: takeWebhook(slot, head, UnsafePointer(base))
        case .put, .delete, .patch, .options, .trace, .connect, .unknown:
            preconditionFailure("the route refuses these methods")
        }
    }

    func persistence(of head: RequestHead) -> AnswerTable.Persistence {
        if head.isLast || stopDeadline != nil { return .close }
        return head.minorVersion == 0 ? .keepAlive : .persistent
    }

    private func answerHandshake(
        _ slot: ConnectionTable.Slot,
        _ head: RequestHead,
        _ base: UnsafePointer<UInt8>
    ) {
        let persistence = persistence(of: head)
        let query = head.query.bytes(at: base)
        switch VerificationHandshake.answer(query: query, verifyToken: verifyToken) {
        case .challenge(let challenge):
            metrics.requests[.ok].add()
            let bytes = answers.challenge(
                challenge, persistence, bodyIsSent: head.method == .get)
            bytes.withUnsafeBytes { send(slot, $0, closes: persistence == .close) }
        case .forbidden:
            count(.verifyToken)
            answer(slot, Refusal.verifyToken.status, persistence)
        }
    }

    private func takeWebhook(
        _ slot: ConnectionTable.Slot,
        _ head: RequestHead,
        _ base: UnsafePointer<UInt8>
    ) {
        let body = head.body.bytes(at: base)
        let signature = head.signature256.bytes(at: base)
        let persistence = persistence(of: head)
        guard let secret = verifier.verify(body: body, header: signature) else {
            metrics.signatureFailures.add()
            count(.signature)
            return answer(slot, Refusal.signature.status, persistence)
        }
        metrics.signatureMatches[secret].add()
        let connection = table[slot]
        webhooks.append(
            PendingWebhook(
                receivedAt: wallNow,
                body: body,
                signature256: signature,
                signature1: head.signature1.bytes(at: base),
                userAgent: head.userAgent.bytes(at: base),
                contentType: head.contentType.bytes(at: base),
                remoteAddress: sender(connection, head, base),
                secretFingerprint: fingerprints[secret]))
        members.append(
            Member(
                slot: slot, generation: connection.pointee.generation, persistence: persistence,
                completedAt: now))
        groupBytes += body.count
        connection.pointee.flags.insert(.isInGroup)
        table.setTimer(slot, .none, deadline: 0)
    }

    /// The address behind trusted proxies, or the peer's own.
    private func sender(
        _ connection: UnsafeMutablePointer<Connection>,
        _ head: RequestHead,
        _ base: UnsafePointer<UInt8>
    ) -> UnsafeRawBufferPointer {
        if head.forwardedForCount > 0, connection.pointee.flags.contains(.isTrustedProxy),
            let sender = remoteAddress.sender(of: head, at: base)
        {
            return sender
        }
        let count = Int(connection.pointee.address.count)
        // The table's memory does not move, and the text stands at the start of its struct.
        return withUnsafeBytes(of: &connection.pointee.address) { bytes in
            UnsafeRawBufferPointer(rebasing: bytes[..<count])
        }
    }
}
