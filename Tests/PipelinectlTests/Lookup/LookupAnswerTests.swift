import Base
import Foundation
import TestSupport
import Testing

@testable import pipelinectl

private let id = "wamid.HBgLMTU1NTAxMDAwMDAVAgARGBI="

/// What `lookup` answers, and what it says of its own limits.
@Suite struct LookupAnswerTests {
    private func rig() throws -> LakeRig { try LakeRig() }

    private func line(_ number: Int, _ status: String, _ second: Int, _ more: String = "") -> String
    {
        #"{"event_key":"\#(number)","received_at":"2026-11-24T11:00:00.000Z","id":"\#(id)","#
            + #""status":"\#(status)","timestamp":"\#(1_795_521_000 + second)"\#(more)}"# + "\n"
    }

    private let pricing =
        #","pricing":{"billable":true,"pricing_model":"PMP","category":"marketing","#
        + #""type":"regular"}"#

    private func ask(_ rig: LakeRig, _ more: String...) -> String {
        rig.rig.run(["lookup", id] + more, reader: .person(colour: false)).output
    }

    @Test func `a person reads whether it was delivered, when, and at what price`() throws {
        let rig = try rig()
        try rig.ship(line(1, "read", 9) + line(2, "sent", 1, pricing))
        try rig.ship(line(3, "delivered", 4))
        let text = ask(rig)
        let facts = text.split(separator: "\n").prefix { !$0.contains("WHEN") }
            .map {
                $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            }
        #expect(
            facts == [
                "message \(id)", "status read", "sent 2026-11-24T11:50:01.000Z",
                "delivered 2026-11-24T11:50:04.000Z", "read 2026-11-24T11:50:09.000Z",
                "price billable: marketing, regular (PMP)",
            ])
        let summary = try #require(
            try rig.rig.run("lookup", id, "--json").json()["summary"] as? [String: Any])
        #expect(summary["status"] as? String == "read")
        #expect((summary["pricing"] as? [String: Any])?["billable"] as? Bool == true)
        #expect(summary["failed_at"] is NSNull)
    }

    @Test func `a person reads why it failed, and nothing in it moves the cursor`() throws {
        let rig = try rig()
        let errors =
            #","errors":[{"code":131049,"title":"Not \u001b[2Jdelivered","error_data":"#
            + #"{"details":"To keep\nengagement healthy"}}]"#
        try rig.ship(line(1, "sent", 1) + line(2, "failed", 3, errors))
        let text = ask(rig)
        #expect(!text.contains("\u{1B}"))
        #expect(
            text.contains(
                "131049 Not \\u001b[2Jdelivered: To keep\\nengagement healthy"))
        #expect(text.contains("status failed: 131049"))
        let summary = try #require(
            try rig.rig.run("lookup", id, "--json").json()["summary"] as? [String: Any])
        let first = try #require((summary["errors"] as? [[String: Any]])?.first)
        #expect(first["code"] as? Int == 131_049)
        #expect(first["details"] as? String == "To keep\nengagement healthy")
    }

    @Test func `a group's message has as many answers as participants`() throws {
        let rig = try rig()
        try rig.ship(
            line(1, "read", 5, #","recipient_participant_id":"49111""#)
                + line(2, "read", 6, #","recipient_participant_id":"49222""#))
        #expect(ask(rig).contains("2026-11-24T11:50:05.000Z, the first of 2 participants"))
    }

    @Test func `it says where it looked, and where it did not`() throws {
        let rig = try rig()
        try rig.ship(line(1, "sent", 1), day: "2026-11-23")
        try rig.ship(line(2, "read", 2), day: "2026-11-24")
        try rig.ship(line(3, "played", 3), day: "2026-10-01")
        let all = try rig.rig.run("lookup", id, "--json").json()
        let searched = try #require((all["searched"] as? [String: Any])?["lake"] as? [String: Any])
        #expect(searched["since"] as? String == "2026-11-16")
        #expect(searched["objects"] as? Int == 2)
        #expect(searched["left_out"] as? Int == 0)
        #expect(searched["trouble"] is NSNull)

        // The newest day first.
        let outcome = rig.rig.run("lookup", id, "--limit", "1", "--json")
        let one = try outcome.json()
        let statuses = try #require(one["statuses"] as? [[String: Any]])
        #expect(statuses.map { $0["status"] as? String } == ["read"])
        let less = try #require((one["searched"] as? [String: Any])?["lake"] as? [String: Any])
        #expect(less["left_out"] as? Int == 1)
        #expect(outcome.error.contains("not looked at: 1 older object of the lake"))
        #expect(ask(rig, "--limit", "1").contains("1 older object of the lake: --limit reads more"))
        #expect(ask(rig).contains("the lake before 2026-11-16"))
    }

    @Test func `a lake that cannot be read is no proof that a message is unknown`() throws {
        let rig = try rig()
        #expect(rig.rig.run("lookup", id).code == ExitCode.notFound)
        rig.rig.environment["LAKE_URL"] = "firehose://stream"
        let outcome = rig.rig.run("lookup", id)
        #expect(outcome.code == ExitCode.failed)
        #expect(outcome.error.contains("not looked at: the lake: firehose://stream"))
        rig.rig.environment["LAKE_URL"] = "file:" + rig.lake
        try rig.ship(line(1, "sent", 1))
        #expect(rig.rig.run("lookup", id + "x", "--limit", "0").code == ExitCode.failed)
        #expect(rig.rig.run("lookup", id).code == ExitCode.ok)
    }

    @Test func `many objects are searched at once, and the answer is as from one`() throws {
        let rig = try rig()
        for number in 1...150 {
            let hit = number % 10 == 0 ? line(number, "sent", number) : ""
            try rig.put(rig.object(LakeRig.line(number) + hit + LakeRig.line(number + 1_000)))
        }
        let json = try rig.rig.run("lookup", id, "--json").json()
        let statuses = try #require(json["statuses"] as? [[String: Any]])
        #expect(statuses.map { $0["id"] as? String } == (1...15).map { String($0 * 10) })
    }
}
