import Base
import Glibc

/// A connection that sends bytes as they are and shows everything that comes back.
final class RawClient {
    private let socket: Descriptor
    private(set) var received: [UInt8] = []
    /// The server has finished sending; by a reset where `wasReset` says so.
    private(set) var isAtEnd = false
    private(set) var wasReset = false

    /// Connects to 127.0.0.1.
    init(port: UInt16) throws {
        let made = Glibc.socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw SystemError(call: "socket", code: errno) }
        socket = Descriptor(adopting: made)
        var time = timeval(tv_sec: 20, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(made, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        var one: Int32 = 1
        setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError(call: "connect", code: errno) }
    }

    deinit { resetOnClose() }

    /// Thousands of connections a second would leave as many ports waiting.
    private func resetOnClose() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket.rawValue, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends; what a server that has closed does not take is lost without a word.
    func send(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends nothing more, and still reads.
    func finishSending() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

    /// Goes away as a crash does: what is under way is lost on both sides.
    func reset() {
        resetOnClose()
        shutdown(socket.rawValue, Int32(SHUT_RDWR))
    }

    /// Reads what there is; blocks where `waits` and there is nothing.
    func receive(waits: Bool = true) {
        guard !isAtEnd else { return }
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
            let flags = waits ? 0 : Int32(MSG_DONTWAIT)
            let count = recv(socket.rawValue, buffer.baseAddress, buffer.count, flags)
            if count > 0 { received += buffer[..<count] }
            if count == 0 { isAtEnd = true }
            if count < 0, errno == EAGAIN, !waits { return }
            if count < 0 { (isAtEnd, wasReset) = (true, errno == ECONNRESET) }
        }
    }

    /// The next answer; nil where the connection ended before it was complete.
    func answer(isHead: Bool = false) -> RawAnswer? {
        while true {
            if let answer = RawAnswer.take(from: &received, isHead: isHead) { return answer }
            guard !isAtEnd else { return nil }
            receive()
        }
    }
}
