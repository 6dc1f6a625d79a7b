import Base
import CLinux
import Glibc

/// One TCP connection without TLS; at most one exchange is on it at a time.
///
/// Not `Sendable`: it belongs to the client's thread.
final class PlainConnection {
    /// What a call on the socket came to.
    enum Progress: Equatable {
        case done
        /// The socket takes or gives no more for now.
        case later
        case failed(code: Int32)
    }

    /// Names it in the epoll set; never used again.
    let number: UInt64
    let socket: Descriptor
    /// Host and port, the key of the pool.
    let authority: String
    var exchange: PlainExchange?
    var isConnected = false
    /// Since when it waits for another exchange.
    var idleSince = Duration.zero
    /// Bytes written before the exchange that is on it.
    private var earlierByteCount: UInt64 = 0
    private var byteCount: UInt64 = 0

    init(number: UInt64, socket: consuming Descriptor, authority: String) {
        self.number = number
        self.socket = socket
        self.authority = authority
    }

    /// Opens a socket and begins to connect.
    ///
    /// - Returns: the descriptor, or the code of the failure.
    static func begin(_ address: ServerAddress) -> Result<Int32, SystemError> {
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let made = Glibc.socket(address.family, Int32(type), 0)
        guard made >= 0 else { return .failure(SystemError(call: "socket", code: errno)) }
        var one: Int32 = 1
        setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let result = address.bytes.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(made, $0.baseAddress, socklen_t(bytes.count))
            }
        }
        guard result == 0 || errno == EINPROGRESS else {
            let code = errno
            close(made)
            return .failure(SystemError(call: "connect", code: code))
        }
        return .success(made)
    }

    /// The code of a connect that has ended; 0: it stands.
    var connectCode: Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
        return code
    }

    /// Begins an exchange.
    func take(_ exchange: PlainExchange) {
        self.exchange = exchange
        exchange.connection = self
        earlierByteCount = byteCount
    }

    /// Whether it is as an idle connection should be: not ended, and without bytes nobody asked
    /// for.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(socket.rawValue, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0
            && errno == EAGAIN
    }

    /// Sends what the socket takes.
    func write(_ bytes: [UInt8], from offset: inout Int) -> Progress {
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(
                    socket.rawValue, $0.baseAddress?.advanced(by: offset), bytes.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                offset += count
                byteCount += UInt64(count)
            } else if errno == EAGAIN {
                return .later
            } else if errno != EINTR {
                return .failed(code: errno)
            }
        }
        return .done
    }

    /// Reads what is there; `.done` with nothing read: the server has ended the connection.
    func read(into buffer: inout [UInt8]) -> (progress: Progress, count: Int) {
        while true {
            let count = recv(socket.rawValue, &buffer, buffer.count, 0)
            if count >= 0 { return (.done, count) }
            if errno == EAGAIN { return (.later, 0) }
            if errno != EINTR { return (.failed(code: errno), 0) }
        }
    }

    /// Whether not one byte of the exchange can have been read by the server: its system has
    /// acknowledged none.
    ///
    /// `tcpi_bytes_acked` of Linux's `struct tcp_info`, which counts the SYN as one.
    var nothingArrived: Bool {
        var fields = [UInt8](repeating: 0, count: 192)
        var length = socklen_t(fields.count)
        let offset = 120
        guard getsockopt(socket.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &fields, &length) == 0,
            Int(length) >= offset + 8
        else { return false }
        let acknowledged = fields.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        return acknowledged <= earlierByteCount + 1
    }
}

/// One request on its way, and what has come of its answer.
///
/// Not `Sendable`: it belongs to the client's thread.
final class PlainExchange {
    let ticket: Int
    let address: WebAddress
    /// Head and body.
    let bytes: [UInt8]
    let startedAt: Timestamp
    let started: Duration
    let connectDeadline: Duration
    let deadline: Duration
    var writtenCount = 0
    var parser: AnswerParser
    /// Nil while the name is looked up.
    var connection: PlainConnection?
    /// Addresses that were not tried yet.
    var addressesLeft: ArraySlice<ServerAddress> = []
    /// On a connection that has served before.
    var isOnUsedConnection = false

    init(_ request: HTTPRequest, address: WebAddress, ticket: Int, limits: HTTPLimits) {
        self.ticket = ticket
        self.address = address
        bytes = Self.bytes(of: request, address: address)
        startedAt = .now()
        started = MonotonicClock.now()
        deadline = started + limits.answerDuration
        connectDeadline = started + min(limits.connectDuration, limits.answerDuration)
        parser = AnswerParser(limits: limits)
    }

    /// When it runs out of time.
    var nextDeadline: Duration {
        connection?.isConnected == true ? deadline : connectDeadline
    }

    private static func bytes(of request: HTTPRequest, address: WebAddress) -> [UInt8] {
        var head = "\(request.method) \(address.target) HTTP/1.1\r\n"
        if request.header("Host") == nil { head += "Host: \(address.authority)\r\n" }
        for header in request.headers { head += "\(header.name): \(header.value)\r\n" }
        head += "Accept: */*\r\nAccept-Encoding: identity\r\n\r\n"
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.utf8.count + request.body.count)
        bytes += head.utf8
        bytes += request.body
        return bytes
    }
}
