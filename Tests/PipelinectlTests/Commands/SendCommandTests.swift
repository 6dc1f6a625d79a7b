import Base
import Foundation
import Testing
import WhatsApp

@testable import pipelinectl

@Suite struct SendCommandTests {
    private static let secret = AppSecret(Secret(bytes: Array("test-secret".utf8)))

    private func rig(_ server: StubServer) throws -> CommandRig {
        let rig = try CommandRig()
        rig.environment["INGEST_LISTEN"] = "127.0.0.1:\(server.port)"
        rig.environment["INGEST_PATH"] = "/hook"
        rig.environment["WHATSAPP_APP_SECRET"] = "test-secret,older-secret"
        return rig
    }

    @Test(arguments: SampleWebhook.Kind.allCases)
    func `a sample is signed as WhatsApp signs, and its answer told`(
        kind: SampleWebhook.Kind
    ) throws {
        let server = try StubServer { _ in StubServer.answer(200, "") }
        defer { server.stop() }

        let outcome = try rig(server).run("send", "--sample", kind.rawValue, "--json")
        #expect(outcome.code == ExitCode.ok)
        #expect(try outcome.json()["accepted"] as? Int == 1)
        #expect(try outcome.json()["status"] as? Int == 200)
        let request = server.requests[0]
        #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
        let parts = request.components(separatedBy: "\r\n\r\n")
        let signature = SignatureVerifier.sign(body: Array(parts[1].utf8), secret: Self.secret)
        #expect(parts[0].contains("X-Hub-Signature-256: \(signature.signature256)\r\n"))
    }

    @Test func `a file is sent as it is, as often as was asked for`() throws {
        let server = try StubServer { _ in StubServer.answer(200, "") }
        defer { server.stop() }

        let rig = try rig(server)
        let file = rig.directory.file("body.json")
        try Data("{ \"a\" :\n1}".utf8).write(to: URL(fileURLWithPath: file))
        let outcome = rig.run("send", file, "--count", "3", "--json")
        #expect(try outcome.json()["accepted"] as? Int == 3)
        #expect(server.requests.count == 3)
        #expect(server.requests.allSatisfy { $0.hasSuffix("{ \"a\" :\n1}") })
    }

    @Test func `anything but 200 is a failure that says what to look at`() throws {
        let server = try StubServer { _ in StubServer.answer(401, "wrong\u{1B}") }
        defer { server.stop() }

        let outcome = try rig(server).run(
            ["send", "--sample", "text"], reader: .person(colour: false))
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.output.contains("answered 401"))
        #expect(outcome.output.contains("WHATSAPP_APP_SECRET"))
        #expect(outcome.output.contains("wrong\\u001b"))
    }

    @Test func `nobody there, no file, an empty file and no source are said`() throws {
        let rig = try CommandRig()
        rig.environment["INGEST_LISTEN"] = "127.0.0.1:1"
        let nobody = rig.run("send", "--sample", "text")
        #expect(nobody.code == ExitCode.failed)
        #expect(nobody.error.contains("connection refused"))
        #expect(rig.run("send", rig.directory.file("none")).code == ExitCode.failed)
        let empty = rig.directory.file("empty")
        try Data().write(to: URL(fileURLWithPath: empty))
        #expect(rig.run("send", empty).error.contains("is empty"))
        #expect(rig.run("send").code == ExitCode.usage)
        #expect(rig.run("send", "x", "--sample", "text").code == ExitCode.usage)
        #expect(rig.run("send", "x", "--url", "ftp://x").code == ExitCode.failed)
        let url = rig.run("send", "--sample", "text", "--url", "https://example.org/")
        #expect(url.code == ExitCode.usage)
        rig.environment["WHATSAPP_APP_SECRET"] = nil
        #expect(rig.run("send", "--sample", "text").code == ExitCode.configuration)
    }

    @Test func `a secret is never shown`() throws {
        let rig = try CommandRig()
        rig.environment["WHATSAPP_APP_SECRET"] = "top-secret,,x"
        let outcome = rig.run("send", "--sample", "text")
        #expect(outcome.code == ExitCode.configuration)
        #expect(!outcome.error.contains("top-secret"))
    }
}

@Suite struct SampleWebhookTests {
    private let splitter = WebhookSplitter(split: .conversation, forwardedStatuses: [])

    private func split(_ kind: SampleWebhook.Kind, number: Int = 0) throws -> SplitWebhook {
        var sample = SampleWebhook(now: CommandRig.now)
        guard case .events(let webhook) = splitter.split(sample.body(kind, number: number)) else {
            throw CocoaError(.coderInvalidValue)
        }
        return webhook
    }

    @Test(arguments: [
        (SampleWebhook.Kind.text, 0, 1), (.status, 3, 0), (.mixed, 1, 1), (.template, 0, 1),
    ])
    func `a sample holds what its name says`(
        kind: SampleWebhook.Kind, statuses: Int, events: Int
    ) throws {
        let webhook = try split(kind)
        #expect(webhook.statuses.count == statuses)
        #expect(webhook.eventCount == events)
    }

    @Test func `every kind has its counts in the test above`() {
        #expect(SampleWebhook.Kind.allCases.count == 4)
    }

    @Test func `no sample is the double of another`() throws {
        let keys = try (0..<50).flatMap { _ in try split(.mixed).statuses.map(\.key) }
        #expect(Set(keys).count == 50)
        let messages = try (0..<50).flatMap { _ in try split(.text).parts[0].events.map(\.key) }
        #expect(Set(messages).count == 50)
    }

    @Test func `samples are of many conversations, and of this moment`() throws {
        let first = try split(.text, number: 0).parts[0]
        let second = try split(.text, number: 1).parts[0]
        #expect(first.conversations != second.conversations)
        #expect(first.events[0].eventSeconds == CommandRig.now.seconds)
    }
}
