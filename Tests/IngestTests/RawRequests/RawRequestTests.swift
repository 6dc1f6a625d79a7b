import TestSupport
import Testing

@testable import Ingest

/// Every case of `Tests/Fixtures/http` against the running server.
@Suite struct RawRequestTests {
    @Test func `there are several hundred cases`() {
        let cases = RawRequestCase.all()
        #expect(cases.count > 600)
        #expect(Set(cases.map(\.name)).count == cases.count)
    }

    @Test func `a case sent whole gets its answers`() throws {
        let player = try RawPlayer()
        var storedCount = 0
        for given in RawRequestCase.all() {
            #expect(try player.play(given, cuts: [nil]) == [], "\(given)")
            storedCount += given.storedCount
            #expect(player.server.bodies.count == storedCount, "\(given)")
        }
    }

    @Test(arguments: ["chunks", "exchange", "fields", "host", "length", "request-line", "target"])
    func `cut in two at every offset it gets the same`(file: String) throws {
        let player = try RawPlayer()
        var storedCount = 0
        for given in RawRequestCase.all(in: file + ".txt") {
            // Of heads without an end every offset would take minutes, and show nothing new.
            let step = max(1, given.stream.count / 400)
            let cuts = Array(stride(from: 1, to: given.stream.count, by: step))
            let faults = try player.play(given, cuts: cuts)
            #expect(faults == [], "\(given)")
            storedCount += given.storedCount * cuts.count
        }
        #expect(player.server.bodies.count == storedCount)
    }

    @Test func `byte by byte it gets the same`() throws {
        let player = try RawPlayer()
        let cases = RawRequestCase.all()
        #expect(try player.playByteByByte(cases) == [])
        #expect(player.server.bodies.count == cases.reduce(0) { $0 + $1.storedCount })
    }

    @Test func `the parser reads a case alike however it is cut`() {
        for given in RawRequestCase.all() where given.stream.count < 2_000 {
            #expect(ParserHarness().parseEveryWay(given.stream) != nil, "\(given)")
        }
    }
}

/// Plays cases on a server of its own.
private struct RawPlayer {
    let server: ServerFixture
    private let bystander: RawClient

    init() throws {
        server = try ServerFixture(limits: {
            $0.connectionsMax = 2_000
            // A busy machine takes its time over a head that comes byte by byte.
            $0.headDuration = .seconds(600)
            $0.bodyDuration = .seconds(600)
            $0.idleDuration = .seconds(600)
        })
        bystander = try RawClient(port: server.port)
    }

    /// Plays a case once for each cut, all at the same time.
    ///
    /// - Returns: what went wrong, in words.
    func play(_ given: RawRequestCase, cuts: [Int?]) throws -> [String] {
        let clients = try cuts.map { _ in try RawClient(port: server.port) }
        waitUntilAllIsRead(connectionCount: clients.count)
        for (client, cut) in zip(clients, cuts) { client.send(given.stream[..<(cut ?? 0)]) }
        waitUntilAllIsRead()
        for (client, cut) in zip(clients, cuts) { client.send(given.stream[(cut ?? 0)...]) }
        waitUntilAllIsRead()
        return zip(clients, cuts).compactMap { client, cut in
            fault(given, client).map { "cut at \(cut ?? 0): \($0)" }
        }
    }

    func playByteByByte(_ cases: [RawRequestCase]) throws -> [String] {
        let clients = try cases.map { _ in try RawClient(port: server.port) }
        waitUntilAllIsRead(connectionCount: clients.count)
        for index in 0..<(cases.map(\.stream.count).max() ?? 0) {
            for (given, client) in zip(cases, clients) where index < given.stream.count {
                client.send(given.stream[index...index])
            }
            waitUntilAllIsRead()
        }
        return zip(cases, clients).compactMap { given, client in
            fault(given, client).map { "\(given): \($0)" }
        }
    }

    /// The server serves connections in the order in which they get ready, so once it has answered
    /// this request it has read all that was sent before.
    private func waitUntilAllIsRead(connectionCount: Int = 0) {
        // Of new connections it takes 256 in a turn, and serves them in the next.
        for _ in 0...(connectionCount / 256 + (connectionCount > 0 ? 1 : 0)) {
            bystander.send(Self.probe[...])
            _ = bystander.answer(isHead: true)
        }
    }

    private static let probe = Array("HEAD /probe HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    private func fault(_ given: RawRequestCase, _ client: RawClient) -> String? {
        var last: RawAnswer?
        for (index, expected) in given.answers.enumerated() {
            guard let answer = client.answer() else { return "no answer \(index)" }
            if !answer.faults.isEmpty { return "an answer with \(answer.faults)" }
            if answer.status != expected.status || answer.body != expected.body {
                return "answer \(index) was \(answer.status) \(answer.body)"
            }
            if index < given.answers.count - 1, answer.closes { return "closed too early" }
            last = answer
        }
        let closes = last?.closes ?? false
        guard closes == (given.state == .closed) else { return "Connection: close is \(closes)" }
        return faultAtTheEnd(given.state, client)
    }

    private func faultAtTheEnd(_ state: RawRequestCase.State, _ client: RawClient) -> String? {
        switch state {
        case .open:
            client.send(Self.probe[...])
            guard let answer = client.answer(isHead: true), answer.status == 404 else {
                return "takes no further request"
            }
            client.finishSending()
        case .closed: break
        case .unfinished:
            client.receive(waits: false)
            guard client.received.isEmpty, !client.isAtEnd else { return "answered too early" }
            client.finishSending()
            guard let answer = client.answer(), answer.status == 400, answer.closes else {
                return "half a request was not refused"
            }
        case .idle:
            client.receive(waits: false)
            guard client.received.isEmpty, !client.isAtEnd else { return "answered too early" }
            client.finishSending()
        }
        while !client.isAtEnd { client.receive() }
        if client.wasReset { return "reset" }
        return client.received.isEmpty ? nil : "more than its answers"
    }
}
