import Glibc

/// One connection of the admin endpoint: a request in, an answer out, within a deadline.
///
/// The socket does not block; each wait is for the socket, the stop or the deadline, whichever
/// comes first. That bounds the whole exchange, which a time limit on each read would not.
struct AdminConnection: ~Copyable {
    private let socket: Descriptor
    private let stopDescriptor: Int32
    private let deadline: Duration

    /// Takes over an accepted socket that does not block.
    ///
    /// - Parameters:
    ///   - socket: the connection.
    ///   - stopDescriptor: readable when the endpoint stops.
    ///   - timeMax: for request and answer together.
    init(adopting socket: consuming Descriptor, stopDescriptor: Int32, timeMax: Duration) {
        self.socket = socket
        self.stopDescriptor = stopDescriptor
        deadline = MonotonicClock.now() + timeMax
    }

    /// Reads one request and answers it; gives up silently when time or the peer is gone.
    func serve(_ answer: (AdminRequest) -> AdminAnswer) {
        var received: [UInt8] = []
        while true {
            if let end = AdminRequest.headEnd(in: received) {
                return finish(with: answer(AdminRequest(head: received[..<end])))
            }
            let room = AdminRequest.headBytesMax - received.count
            guard room > 0 else {
                return finish(with: AdminAnswer(status: 431, text: "the head is too long\n"))
            }
            guard let bytes = read(countMax: room), !bytes.isEmpty else { return }
            received += bytes
        }
    }

    private func finish(with answer: AdminAnswer) {
        guard write(answer.bytes) else { return }
        shutdown(socket.rawValue, Int32(SHUT_WR))
        guard answer.status != 200 else { return }
        // What the peer is still sending would make the kernel reset the connection, and the peer
        // might not get to read why it was refused.
        var byteCount = 0
        while byteCount < 65_536, let bytes = read(countMax: 16_384), !bytes.isEmpty {
            byteCount += bytes.count
        }
    }

    /// Some bytes, none at the end of the stream, `nil` when time, peer or endpoint are gone.
    private func read(countMax: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: countMax)
        while waits(for: POLLIN) {
            let count = recv(socket.rawValue, &buffer, countMax, 0)
            if count >= 0 { return Array(buffer.prefix(count)) }
            guard errno == EAGAIN || errno == EINTR else { return nil }
        }
        return nil
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard waits(for: POLLOUT) else { return false }
            let count = rest.withUnsafeBytes {
                send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 || errno == EAGAIN || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    private func waits(for events: Int32) -> Bool {
        let waits = [
            pollfd(fd: stopDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket.rawValue, events: Int16(events), revents: 0),
        ]
        return Poll.wait(waits, timeout: deadline - MonotonicClock.now()) == 1
    }
}
