import Foundation
import TestSupport
import Testing

/// The real `php`, serving Tests/Fixtures/php/receiver.php, which checks signatures by itself.
final class PHPReceiver {
    /// One POST that came in.
    struct Arrival: Decodable {
        let body: Data
        let headers: [String: String]
        let isSigned: Bool
        /// What it was answered.
        let status: Int

        enum CodingKeys: String, CodingKey {
            case body, headers, status
            case isSigned = "is_signed"
        }
    }

    let port = freePort()
    private let directory: String
    private let secret: String
    private var process: ChildProcess?
    private var arrivals: [Arrival] = []
    private var readBytes: UInt64 = 0

    /// Makes `directory`, where arrivals are written; starts nothing.
    init(directory: String, secret: String) throws {
        self.directory = directory
        self.secret = secret
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
    }

    var url: String { "http://127.0.0.1:\(port)/webhook.php" }

    func start() throws {
        let script = Fixture.folder.appendingPathComponent("php/receiver.php").path
        let started = try ChildProcess(
            "/usr/bin/env",
            [
                "php", "-d", "post_max_size=64M", "-d", "memory_limit=512M", "-S",
                "127.0.0.1:\(port)", script,
            ],
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "RECEIVER_DIRECTORY": directory,
                "WHATSAPP_APP_SECRET": secret,
            ],
            outputPath: directory + "/php.log")
        process = started
        waitUntil { started.poll() != nil || isListening(on: port) }
        try #require(started.poll() == nil, "php ended:\n\(started.output)")
    }

    func stop() {
        process?.stop()
        process = nil
    }

    /// From the next request on: the first text that stands in a body decides its answer.
    func answer(_ rules: [(text: String, status: Int)]) throws {
        let list = rules.map { ["match": $0.text, "status": $0.status] as [String: Any] }
        let url = URL(fileURLWithPath: directory + "/behaviour.json")
        try JSONSerialization.data(withJSONObject: list).write(to: url, options: .atomic)
    }

    /// Everything that came so far, in order of arrival.
    func all() throws -> [Arrival] {
        guard let file = FileHandle(forReadingAtPath: directory + "/arrivals.ndjson") else {
            return []
        }
        defer { try? file.close() }

        try file.seek(toOffset: readBytes)
        let fresh = try file.readToEnd() ?? Data()
        let newline = UInt8(ascii: "\n")
        guard let end = fresh.lastIndex(of: newline) else { return arrivals }
        readBytes += UInt64(fresh.distance(from: fresh.startIndex, to: end) + 1)
        for line in fresh[...end].split(separator: newline) {
            arrivals.append(try JSONDecoder().decode(Arrival.self, from: line))
        }
        return arrivals
    }

    /// What was taken: answered 200.
    func taken() throws -> [Arrival] { try all().filter { $0.status == 200 } }
}

extension PHPReceiver.Arrival {
    var text: String { String(decoding: body, as: UTF8.self) }
}
