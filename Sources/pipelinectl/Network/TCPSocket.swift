import Base
import Dispatch
import Glibc
import Synchronization

/// One TCP connection of one thread; each call ends at a deadline on ``MonotonicClock``.
struct TCPSocket: ~Copyable {
    private let socket: Descriptor

    /// Connects to the first address of the host that answers.
    init(host: String, port: UInt16, deadline: Duration) throws(NetworkFailure) {
        var failure = NetworkFailure.unknownHost(host)
        for address in try Self.addresses(of: host, port: port, deadline: deadline) {
            do throws(NetworkFailure) {
                socket = try Self.connect(address, deadline: deadline)
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8], deadline: Duration) throws(NetworkFailure) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.send(
                    socket.rawValue, bytes.baseAddress?.advanced(by: offset),
                    bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                offset += count
            } else {
                try Self.waitAfter(errno, socket.rawValue, for: POLLOUT, deadline: deadline)
            }
        }
    }

    /// Waits for bytes.
    ///
    /// - Returns: at least one, or none where the other side has sent all it had.
    func receive(deadline: Duration) throws(NetworkFailure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket.rawValue, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer.prefix(count)) }
            try Self.waitAfter(errno, socket.rawValue, for: POLLIN, deadline: deadline)
        }
    }

    // MARK: Connecting

    private static func connect(
        _ address: Address,
        deadline: Duration
    ) throws(NetworkFailure) -> Descriptor {
        let type =
            SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let made = Glibc.socket(address.family, Int32(type), 0)
        guard made >= 0 else { throw NetworkFailure(code: errno) }
        let socket = Descriptor(adopting: made)
        var one: Int32 = 1
        setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let result = address.bytes.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(made, $0.baseAddress, socklen_t(bytes.count))
            }
        }
        if result == 0 { return socket }
        guard errno == EINPROGRESS else { throw NetworkFailure(code: errno) }
        try wait(made, for: POLLOUT, deadline: deadline)
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw NetworkFailure(code: code) }
        return socket
    }

    private static func waitAfter(
        _ code: Int32,
        _ descriptor: Int32,
        for events: Int32,
        deadline: Duration
    ) throws(NetworkFailure) {
        if code == EINTR { return }
        guard code == EAGAIN else { throw NetworkFailure(code: code) }
        try wait(descriptor, for: events, deadline: deadline)
    }

    private static func wait(
        _ descriptor: Int32,
        for events: Int32,
        deadline: Duration
    ) throws(NetworkFailure) {
        while true {
            let left = (deadline - MonotonicClock.now()).milliseconds
            guard left > 0 else { throw .timeout }
            var wanted = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&wanted, 1, Int32(clamping: left))
            if count > 0 { return }
            guard count == 0 || errno == EINTR else { throw NetworkFailure(code: errno) }
        }
    }

    // MARK: Names

    /// A socket address as the kernel takes it.
    private struct Address: Sendable {
        let family: Int32
        let bytes: [UInt8]
    }

    /// The resolver knows no deadline, so it has a thread of its own that may be left behind.
    private static func addresses(
        of host: String,
        port: UInt16,
        deadline: Duration
    ) throws(NetworkFailure) -> [Address] {
        let numeric = lookUp(host, port: port, flags: AI_NUMERICHOST | AI_NUMERICSERV)
        if !numeric.isEmpty { return numeric }
        let answer = Answer()
        let resolver = Thread(answer: answer, host: host, port: port)
        guard resolver.start() else { throw .system(code: EAGAIN) }
        let left = max(0, (deadline - MonotonicClock.now()).milliseconds)
        guard answer.isThere.wait(timeout: .now() + .milliseconds(Int(left))) == .success else {
            throw .timeout
        }
        let addresses = answer.addresses.withLock { $0 }
        guard !addresses.isEmpty else { throw .unknownHost(host) }
        return addresses
    }

    /// Where the resolver's thread puts what it found.
    private final class Answer: Sendable {
        let addresses = Mutex<[Address]>([])
        let isThere = DispatchSemaphore(value: 0)
    }

    /// What a resolver's thread is given.
    private final class Thread: Sendable {
        private let answer: Answer
        private let host: String
        private let port: UInt16

        init(answer: Answer, host: String, port: UInt16) {
            self.answer = answer
            self.host = host
            self.port = port
        }

        func start() -> Bool {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().run()
                    return nil
                }, context)
            guard code == 0 else {
                Unmanaged<Thread>.fromOpaque(context).release()
                return false
            }
            pthread_detach(thread)
            return true
        }

        private func run() {
            let found = TCPSocket.lookUp(host, port: port, flags: AI_NUMERICSERV)
            answer.addresses.withLock { $0 = found }
            answer.isThere.signal()
        }
    }

    private static func lookUp(_ host: String, port: UInt16, flags: Int32) -> [Address] {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }

        var addresses: [Address] = []
        var next = list
        while let info = next?.pointee {
            let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
            addresses.append(Address(family: info.ai_family, bytes: Array(bytes)))
            next = info.ai_next
        }
        return addresses
    }
}
