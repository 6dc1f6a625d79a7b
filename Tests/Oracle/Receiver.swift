import Base
import Foundation
import Glibc
import Synchronization
import TestSupport
import WhatsApp

/// PHP's place: an HTTP server that has weather, and tells the ledger what it took.
///
/// It shares nothing with the programs but the signature: requests are read by Foundation.
public final class Receiver: Sendable {
    /// How the receiver is today.
    public enum Weather: String, CaseIterable, Sendable {
        case fair
        /// Nothing listens.
        case down
        /// Each answer takes a while.
        case slow
        /// Connections end before the answer, and nothing was done.
        case cutting
        /// The work is done, and the answer is lost.
        case losing
        /// 503, and nothing was done.
        case failing
    }

    private struct State {
        var weather = Weather.fair
        var isLenient = false
        var listener: Int32 = -1
        var open: Set<Int32> = []
        var deliveryCount = 0
    }

    /// Chosen by the kernel, the same for life.
    public let port: UInt16
    private let ledger: Ledger
    private let state = Mutex(State())
    private let secret = AppSecret(Secret(bytes: Array(LoadGenerator.secret.utf8)))

    /// Begins to listen.
    public init(ledger: Ledger) throws {
        self.ledger = ledger
        let (listener, port) = try Self.listen(port: 0)
        self.port = port
        accept(on: listener)
    }

    /// Where deliveries go.
    public var url: String { "http://127.0.0.1:\(port)/webhook" }
    /// Requests that were read whole.
    public var deliveryCount: Int { state.withLock { $0.deliveryCount } }

    /// From now on poison is taken too.
    public func becomeLenient() { state.withLock { $0.isLenient = true } }

    /// Changes the weather; open connections are cut when the receiver goes down.
    public func become(_ weather: Weather) throws {
        let (before, cut) = state.withLock { state -> (Weather, [Int32]) in
            defer { state.weather = weather }
            guard weather == .down, state.weather != .down else { return (state.weather, []) }
            defer { state.listener = -1 }
            return (state.weather, [state.listener] + state.open)
        }
        for descriptor in cut where descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        if before == .down, weather != .down {
            let (listener, _) = try Self.listen(port: port)
            accept(on: listener)
        }
    }

    deinit { try? become(.down) }

    private static func listen(port: UInt16) throws -> (Int32, UInt16) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = try systemCall("socket") { socket(AF_INET, kind, 0) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try systemCall("bind") { bind(listener, address, length) }
                try systemCall("listen") { Glibc.listen(listener, 128) }
                try systemCall("getsockname") { getsockname(listener, address, &length) }
            }
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    private func accept(on listener: Int32) {
        state.withLock { $0.listener = listener }
        Thread { [weak self] in
            while true {
                let connection = Glibc.accept(listener, nil, nil)
                guard connection >= 0, let self else { break }
                self.state.withLock { _ = $0.open.insert(connection) }
                Thread { [weak self] in self?.serve(connection) }.start()
            }
            close(listener)
        }.start()
    }

    private func serve(_ connection: Int32) {
        defer {
            state.withLock { _ = $0.open.remove(connection) }
            close(connection)
        }
        var requests = RequestReader(connection)
        while let request = requests.next() {
            let (weather, isLenient) = state.withLock { state in
                state.deliveryCount += 1
                return (state.weather, state.isLenient)
            }
            let events = events(in: request)
            let isPoisoned = !isLenient && events.contains { $0.kind == .poison }
            switch weather {
            case .down, .cutting: return
            case .failing: requests.answer(503)
            case .losing, .fair, .slow:
                if weather == .slow { poll(nil, 0, 300) }
                guard !isPoisoned else {
                    requests.answer(400)
                    continue
                }
                let key = request.headers["x-delivery-id"] ?? ""
                for event in events { ledger.accepted(event, key: key) }
                if weather == .losing { return }
                requests.answer(200)
            }
        }
    }

    // MARK: What came

    /// The events of a request; all that is wrong with it is told to the ledger.
    private func events(in request: RequestReader.Request) -> [Load.Event] {
        let signatures = SignatureVerifier.sign(body: request.body, secret: secret)
        if request.headers["x-hub-signature-256"] != signatures.signature256 {
            ledger.violate("a delivery's signature does not fit its body")
        }
        if (request.headers["x-delivery-id"] ?? "").isEmpty {
            ledger.violate("a delivery without an id")
        }
        guard let messages = Self.messages(in: request.body), !messages.isEmpty else {
            ledger.violate("a delivery without a message: \(request.body.count) bytes")
            return []
        }
        let events = messages.compactMap(Load.Event.init(id:))
        if events.count < messages.count { ledger.violate("a message that was never sent") }
        for event in events { compare(event, with: request.body) }
        return events
    }

    private func compare(_ event: Load.Event, with body: [UInt8]) {
        let load = Load(sender: event.sender, step: event.step)
        guard load.events.contains(event) else {
            return ledger.violate("\(event.id) arrived and was never sent")
        }
        if load.isWhole {
            if body != load.body { ledger.violate("\(event.id): not the bytes that were sent") }
        } else if body.firstRange(of: Array(event.element.utf8)) == nil {
            ledger.violate("\(event.id): its bytes are not those that were sent")
        }
    }

    private static func messages(in body: [UInt8]) -> [String]? {
        guard let root = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let entries = root["entry"] as? [[String: Any]]
        else { return nil }
        return entries.flatMap { $0["changes"] as? [[String: Any]] ?? [] }
            .compactMap { $0["value"] as? [String: Any] }
            .flatMap { $0["messages"] as? [[String: Any]] ?? [] }
            .compactMap { $0["id"] as? String }
    }
}
