import Foundation
import TestSupport
import Testing

/// A lake that two installations wrote, with six messages of November 2026 in it.
///
/// Both were sent three of the webhooks, as WhatsApp does when an answer is lost.
final class SharedLake {
    private let first: Installation
    private let second: Installation

    static let statusCount = 16

    init() throws {
        first = try Installation(["LAKE_BATCH_AGE_MAX": "100ms"])
        second = try Installation([
            "LAKE_BATCH_AGE_MAX": "100ms", "LAKE_URL": "file:" + first.lake.path,
        ])
        try Self.post(Self.bodies, to: first)
        try Self.post([0, 8, 9].map { Self.bodies[$0] }, to: second)
        waitUntil { (try? first.lake.lines().count) ?? 0 >= Self.statusCount }
        first.stopPrograms()
        second.stopPrograms()
        // What a copy of the lake may leave behind; no reader takes it for an object.
        let partition = URL(fileURLWithPath: first.lake.path + "/" + first.lake.objects()[0])
            .deletingLastPathComponent()
        try Data("half".utf8).write(to: partition.appendingPathComponent(".half.ndjson.gz.tmp"))
    }

    private static func post(_ bodies: [[UInt8]], to installation: Installation) throws {
        try installation.startWorkers()
        try installation.startIngest()
        let sender = WhatsAppSender(port: installation.ingestPort)
        for body in bodies { #expect(try sender.post(body) == 200) }
    }

    func file(_ name: String) -> String { first.directory.file(name) }

    /// The tables of an engine, as `pipelinectl lake ddl` prints them for this lake.
    func tables(_ engine: String) throws -> String {
        let location = engine == "athena" ? "s3://bucket/prefix" : first.lake.path
        let (status, text) = try first.pipelinectl(
            "lake", "ddl", "--engine", engine, "--location", location)
        #expect(status == 0)
        let path = file("\(engine).sql")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private static let folder = Fixture.folder.deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("lake/queries")

    /// The file of a ready query.
    static func query(_ name: String) -> String {
        folder.appendingPathComponent(name + ".sql").path
    }

    /// The files of all of them.
    static func queries() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { folder.appendingPathComponent($0).path }
    }

    // MARK: What was sent

    private static let welcome = #""biz_opaque_callback_data":"welcome""#
    private static let marketing = pricing("marketing", "regular", true)

    private static func pricing(_ category: String, _ type: String, _ billable: Bool) -> String {
        #""pricing":{"billable":\#(billable),"pricing_model":"PMP","category":"\#(category)","#
            + #""type":"\#(type)"}"#
    }

    private static func failure(_ code: Int, _ title: String) -> String {
        #""errors":[{"code":\#(code),"title":"\#(title)","error_data":{"details":"d"}}]"#
    }

    /// Seconds of a moment in November 2026.
    private static func seconds(_ day: Int, _ hour: Int, _ second: Int = 0) -> Int {
        1_793_491_200 + (day - 1) * 86_400 + hour * 3_600 + second
    }

    private static func status(
        _ message: Int, _ status: String, _ seconds: Int, _ more: String...
    ) -> String {
        let members =
            [
                #""id":"wamid.M\#(message)==""#, #""status":"\#(status)""#,
                #""timestamp":"\#(seconds)""#, #""recipient_id":"4915550000001""#,
            ] + more
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func body(_ statuses: String...) -> [UInt8] {
        Webhook.value(#""statuses":[\#(statuses.joined(separator: ","))]"#)
    }

    private static func participant(_ number: Int) -> String {
        #""recipient_participant_id":"491555000000\#(number)""#
    }

    static let bodies: [[UInt8]] = [
        body(status(1, "sent", seconds(1, 8), welcome, marketing)),
        // Read before delivered, as it may arrive.
        body(status(1, "read", seconds(1, 8, 60), welcome)),
        body(status(1, "delivered", seconds(1, 8, 5), welcome)),
        // In one second, and `delivered` never comes.
        body(status(2, "read", seconds(1, 9), welcome)),
        body(status(2, "sent", seconds(1, 9), welcome, marketing)),
        body(status(3, "sent", seconds(1, 10), welcome, marketing)),
        body(status(3, "failed", seconds(1, 10, 1), welcome, failure(131_049, "Healthy"))),
        body(
            status(4, "sent", seconds(2, 8), pricing("utility", "free_customer_service", false)),
            status(4, "delivered", seconds(2, 9))),
        body(status(5, "failed", seconds(1, 11), failure(131_026, "Message undeliverable"))),
        body(status(6, "sent", seconds(2, 10))),
        // These two differ in nothing but the participant.
        body(
            status(6, "read", seconds(2, 10, 5), participant(1)),
            status(6, "read", seconds(2, 10, 5), participant(2))),
    ]

    /// Statuses that no documentation shows, each in a webhook of its own.
    static let oddStatuses: [[UInt8]] = [
        #"{"id":"wamid.O1==","status":"sent","timestamp":"soon"}"#,
        #"{"id":"wamid.O2==","status":"sent"}"#,
        #"{"id":"wamid.O3==","status":"sent","timestamp":"99999999999999999999"}"#,
        #"{"id":"wamid.O4==","status":"sent","timestamp":-1}"#,
        #"{"id":5,"status":null,"timestamp":{"seconds":1}}"#,
        #"{"id":"wamid.O6==","status":"failed","timestamp":"1793491200","errors":{"code":1}}"#,
        #"{"id":"wamid.O7==","status":"failed","timestamp":"1793491200","errors":[]}"#,
        #"{"id":"wamid.O8==","status":"failed","timestamp":"1793491200","errors":[7,null]}"#,
        #"{"id":"wamid.O9==","status":"failed","timestamp":"1793491200","#
            + #""errors":[{"code":"not a number","title":9}]}"#,
        #"{"id":"wamid.O10==","status":"sent","timestamp":"1793491200","pricing":"free","#
            + #""conversation":[1],"ID":"wamid.O10==","Status":"SENT"}"#,
        #"{"id":"wamid.O11==","status":"sent","timestamp":"1793491200.5"}"#,
    ].map { Webhook.value(#""statuses":[\#($0)]"#) }
}
