import Foundation
import Glibc
import Queue
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    /// ingest is restarted while webhooks come in, its listening socket kept by somebody else.
    ///
    /// `RESTARTS=50` is the long version: docs/BENCHMARKS.md has its result.
    @Suite struct RestartTests {
        @Test func `a restart behind a kept socket refuses and resets nobody`() throws {
            let restartCount = EnvironmentNumber.read("RESTARTS", otherwise: 4)
            let installation = try Installation()
            let socket = try KeptSocket(port: installation.ingestPort)
            try start(installation, socket)
            let senders = PatientSenders(port: installation.ingestPort, count: 4)
            for round in 1...restartCount {
                let before = senders.acknowledgedCount
                #expect(waitUntil { senders.acknowledgedCount > before + 200 }, "round \(round)")
                let stopped = try #require(installation.ingest)
                stopped.signal(SIGTERM)
                // Connections that come now wait in the socket, which nobody accepts from.
                #expect(stopped.waitForEnd() == .exited(status: 0), "\(stopped.output)")
                try start(installation, socket)
            }
            let sent = senders.stop()
            #expect(sent.failures == [])
            #expect(Set(sent.statuses) == [200])
            print("\(sent.statuses.count) webhooks over \(restartCount) restarts")
            installation.stopPrograms()
            #expect(try storedCount(installation) == sent.statuses.count)
        }

        private func start(_ installation: Installation, _ socket: KeptSocket) throws {
            let script = """
                export LISTEN_PID=$$ LISTEN_FDS=1
                exec "$INGEST" 3<&\(socket.descriptor) \(socket.descriptor)<&-
                """
            try installation.startIngest(by: script, listens: false)
        }

        private func storedCount(_ installation: Installation) throws -> Int {
            let location = QueueLocation(path: installation.queuePath)
            let gate = try QueueSession.openGate(location, as: .tool)
            let session = try QueueSession.open(location, gate: gate, as: .tool)
            return try session.log.read(after: .none, limit: .max, byteCountMax: .max).count
        }
    }
}

/// A listening socket that outlives the programs it is handed to, as systemd keeps it.
private final class KeptSocket {
    let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(isBound == 0 && listen(descriptor, 1_024) == 0)
    }

    deinit { close(descriptor) }
}

/// Senders that each send the next webhook when the last is answered, and connect anew only when
/// the server has said that it closes: every other end of a connection is a failure.
final class PatientSenders: Sendable {
    struct Sent: Sendable {
        var statuses: [Int] = []
        var failures: [String] = []
    }

    private struct State {
        var sent = Sent()
        var isStopping = false
        var runningCount: Int
    }

    private let state: Mutex<State>

    init(port: UInt16, count: Int) {
        state = Mutex(State(runningCount: count))
        for number in 0..<count {
            Thread { [self] in
                run(number, port)
                state.withLock { $0.runningCount -= 1 }
            }.start()
        }
    }

    var acknowledgedCount: Int { state.withLock { $0.sent.statuses.count { $0 == 200 } } }

    /// Waits for the answers that are due.
    func stop() -> Sent {
        state.withLock { $0.isStopping = true }
        waitUntil { state.withLock { $0.runningCount == 0 } }
        return state.withLock { $0.sent }
    }

    private func run(_ number: Int, _ port: UInt16) {
        var client: BlockingHTTPClient?
        var step = 0
        while state.withLock({ !$0.isStopping && $0.sent.failures.isEmpty }) {
            step += 1
            let body = Webhook.status("sent", id: "wamid.RESTART\(number)-\(step)==")
            do {
                let open = try client ?? BlockingHTTPClient(port: port)
                let answer = try open.sendWebhook(body)
                client = answer.fields["connection"] == "close" ? nil : open
                state.withLock { $0.sent.statuses.append(answer.status) }
            } catch {
                state.withLock {
                    $0.sent.failures.append("sender \(number), step \(step): \(error)")
                }
            }
        }
    }
}
