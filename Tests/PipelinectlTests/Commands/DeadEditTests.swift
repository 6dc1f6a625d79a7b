import Base
import Foundation
import Queue
import Testing
import WhatsApp

@testable import pipelinectl

@Suite struct DeadEditTests {
    /// A message to one conversation, with `text` as the inside of a JSON string.
    private static func body(_ text: String, from sender: String = "4915") -> [UInt8] {
        Array(
            (#"{"object":"whatsapp_business_account","entry":[{"id":"8","changes":[{"value":"#
                + #"{"messaging_product":"whatsapp","metadata":{"phone_number_id":"7"},"messages":"#
                + #"[{"from":"\#(sender)","id":"wamid.A","type":"text","text":{"body":"#
                + #""\#(text)"}}]},"field":"messages"}]}]}"#).utf8)
    }

    private func rig(_ body: [UInt8]) throws -> CommandRig {
        let rig = try CommandRig()
        var letter = CommandRig.Letter()
        letter.body = body
        try rig.bury(letter)
        return rig
    }

    private func write(_ bytes: [UInt8], in rig: CommandRig) throws -> String {
        let file = rig.directory.file("new-\(UUID().uuidString).json")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @Test func `an edited letter is signed anew, and keeps what it was, and its id`() throws {
        let original = Self.body("na\\u00efve \\/")
        let rig = try rig(original)
        let new = Self.body("mended", from: "4916")
        let outcome = rig.run("dead", "edit", "1", "--with", try write(new, in: rig), "--json")
        #expect(outcome.code == ExitCode.ok, "\(outcome.error)")
        #expect(try outcome.json()["edited"] as? Bool == true)
        #expect(try outcome.json()["kept_as"] as? Int == 1)

        let shown = try rig.run("dead", "show", "1", "--json").json()
        #expect(shown["body"] as? String == String(decoding: new, as: UTF8.self))
        #expect(shown["cut"] as? Bool == true)
        #expect(shown["delivery_id"] as? String == "key-1")
        #expect((shown["attempts"] as? [Any])?.count == 1)
        let secret = AppSecret(Secret(bytes: Array("test-secret".utf8)))
        let signature = SignatureVerifier.sign(body: new, secret: secret).signature256
        let headers = shown["headers"] as? [String: Any]
        #expect(headers?["X-Hub-Signature-256"] as? String == signature)
        #expect(shown["secret_fingerprint"] as? String == secret.fingerprint)
        // It waits where it belongs now: another sender, another conversation.
        let conversations = shown["conversations"] as? [String]
        #expect(conversations?.count == 1 && conversations?[0].contains("4916") == true)

        let replaced = try #require((shown["replaced_bodies"] as? [[String: Any]])?.first)
        #expect(replaced["body"] as? String == String(decoding: original, as: UTF8.self))
        #expect(replaced["system_user"] as? String == "operator")
        #expect(rig.run("dead", "show", "1", "--original").output.utf8.elementsEqual(original))
        #expect(rig.run("dead", "show", "1", "--raw").output.utf8.elementsEqual(new))
        #expect(try rig.statistics().balances)

        #expect(rig.run("dead", "replay", "1").code == ExitCode.ok)
        let due = try rig.session.forward.claim(limit: 5, now: CommandRig.now, excluding: [])
        #expect(due.map(\.body) == [new])
        #expect(due.first?.envelope.signature256 == signature)
        #expect(due.first?.replayCount == 1)
    }

    @Test func `the editor gets lines that can be read, and each edit is kept`() throws {
        let rig = try rig(Self.body("one"))
        rig.environment["TMPDIR"] = rig.directory.path
        rig.environment["EDITOR"] = "sed -i s/one/two/"
        #expect(rig.run("dead", "edit", "1").code == ExitCode.ok)
        // VISUAL comes first, and a path in it may have spaces.
        rig.environment["VISUAL"] = "sed -i 's/two/a b/' "
        #expect(rig.run("dead", "edit", "1").code == ExitCode.ok)
        let shown = try rig.run("dead", "show", "1", "--json").json()
        let body = try #require(shown["body"] as? String)
        #expect(body.contains("\"body\": \"a b\"") && body.contains("\n  "))
        #expect(body.hasSuffix("}"))
        let replaced = try #require(shown["replaced_bodies"] as? [[String: Any]])
        #expect(replaced.map { $0["id"] as? Int } == [1, 2])
        #expect(
            rig.run("dead", "show", "1", "--original").output.utf8.elementsEqual(Self.body("one")))
        let left = try FileManager.default.contentsOfDirectory(atPath: rig.directory.path)
        #expect(!left.contains { $0.hasPrefix("pipelinectl-") }, "a draft was left behind")
    }

    @Test func `what nobody changed is not stored`() throws {
        let rig = try rig(Self.body("one"))
        rig.environment["EDITOR"] = "true"
        #expect(try rig.run("dead", "edit", "1", "--json").json()["edited"] as? Bool == false)
        let same = try write(Self.body("one"), in: rig)
        let outcome = rig.run("dead", "edit", "1", "--with", same, "--json")
        #expect(try outcome.json()["edited"] as? Bool == false)
        let other = try write(Self.body("two"), in: rig)
        let dry = rig.run("dead", "edit", "1", "--with", other, "--dry-run", "--json")
        #expect(dry.code == ExitCode.ok)
        #expect(rig.run("dead", "show", "1", "--raw").output.utf8.elementsEqual(Self.body("one")))
    }

    @Test func `what cannot be read is refused, and what was typed is not lost`() throws {
        let rig = try rig(Self.body("one"))
        rig.environment["TMPDIR"] = rig.directory.path
        rig.environment["EDITOR"] = "printf '{not json' >"
        let outcome = rig.run("dead", "edit", "1")
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.error.contains("this body cannot be read"))
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory.path)
        let name = try #require(names.first { $0.hasPrefix("pipelinectl-") })
        let draft = rig.directory.file(name + "/dead-letter-1.json")
        #expect(try String(contentsOfFile: draft, encoding: .utf8) == "{not json")
        #expect(outcome.error.contains(draft))
        let facts = try FileManager.default.attributesOfItem(atPath: rig.directory.file(name))
        #expect(facts[.posixPermissions] as? Int == 0o700)
        #expect(rig.run("dead", "show", "1", "--raw").output.utf8.elementsEqual(Self.body("one")))
    }

    @Test func `an editor that fails changes nothing`() throws {
        let rig = try rig(Self.body("one"))
        rig.environment["EDITOR"] = "false"
        let outcome = rig.run("dead", "edit", "1")
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.error.contains("the editor (false) ended with status 1"))
        rig.environment["EDITOR"] = "no-such-editor"
        #expect(rig.run("dead", "edit", "1").code == ExitCode.failed)
        #expect(rig.run("dead", "edit", "9").code == ExitCode.notFound)
        #expect(rig.run("dead", "edit").code == ExitCode.usage)
    }

    @Test func `a letter that was replayed under the editor stays as it is`() throws {
        let rig = try rig(Self.body("one"))
        let session = rig.session
        let id = DeliveryID(rawValue: 1)
        let edit = DeadLetterEdit(
            body: Self.body("two"), signature256: "sha256=11", signature1: "sha1=11",
            secretFingerprint: "1a2b3c4d", place: nil)
        let actor = Queue.Actor(systemUser: "operator")
        let wrong = try session.deadLetters.replaceBody(
            of: id, seen: Self.body("zero"), with: edit, by: actor, now: CommandRig.now)
        #expect(wrong == .changedMeanwhile)
        #expect(rig.run("dead", "replay", "1").code == ExitCode.ok)
        let late = try session.deadLetters.replaceBody(
            of: id, seen: Self.body("one"), with: edit, by: actor, now: CommandRig.now)
        #expect(late == .gone)
        let due = try session.forward.claim(limit: 5, now: CommandRig.now, excluding: [])
        #expect(due.map(\.body) == [Self.body("one")])
    }

    @Test func `an unparseable letter that is mended is read, and goes where it belongs`() throws {
        let rig = try CommandRig()
        let broken = String(decoding: Self.body("one").dropLast(), as: UTF8.self)
        try rig.buryUnparseable(broken)
        rig.environment["EDITOR"] = "sed -i 's/$/}/'"
        let edited = rig.run("dead", "edit", "1", "--json")
        #expect(edited.code == ExitCode.ok, "\(edited.error)")
        let replayed = rig.run("dead", "replay", "1", "--json")
        #expect(try replayed.json()["reread"] as? Int == 1)
        let last = try rig.session.log.lastID()
        let webhook = try #require(try rig.session.log.webhook(last))
        #expect(webhook.body == Self.body("one"))
        let secret = AppSecret(Secret(bytes: Array("test-secret".utf8)))
        let signature = SignatureVerifier.sign(body: webhook.body, secret: secret).signature256
        #expect(webhook.signature256 == signature)
        #expect(try rig.statistics().balances)
    }

    @Test func `an edited letter travels to another queue with what it was`() throws {
        let (source, target) = (try rig(Self.body("one")), try CommandRig())
        let new = try write(Self.body("two"), in: source)
        #expect(source.run("dead", "edit", "1", "--with", new).code == ExitCode.ok)
        let file = source.directory.file("letters.ndjson")
        #expect(source.run("dead", "export", "1", "--out", file).code == ExitCode.ok)
        #expect(target.run("dead", "import", file).code == ExitCode.ok)
        #expect(
            target.run("dead", "show", "1", "--original").output.utf8
                .elementsEqual(Self.body("one")))
        #expect(
            target.run("dead", "show", "1", "--json").output
                == source.run("dead", "show", "1", "--json").output)
    }
}
