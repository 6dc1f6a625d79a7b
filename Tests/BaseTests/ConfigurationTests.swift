import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct ConfigurationTests {
    private static func reader(_ environment: [String: String]) throws -> ConfigurationReader {
        ConfigurationReader(try .load(file: nil, environment: environment))
    }

    private static func reader(
        file text: String,
        environment: [String: String] = [:]
    ) throws -> (ConfigurationReader, path: String) {
        let directory = try TemporaryDirectory()
        let path = directory.file("pipeline.env")
        try DurableFile.write(Array(text.utf8), to: path)
        return (ConfigurationReader(try .load(file: path, environment: environment)), path)
    }

    @Test func `all problems are reported together, one line each`() throws {
        var reader = try Self.reader([
            "FORWARD_TIMEOUT": "soon", "INGEST_LISTEN": "80a", "WHATSAPP_VERIFY_TOKEN": "",
        ])
        #expect(reader.duration(.forwardTimeout, in: .seconds(1) ... .seconds(600)) == .seconds(1))
        #expect(reader.listenAddress(.ingestListen).port == 0)
        #expect(reader.secretList(.whatsAppAppSecret) == [])
        #expect(reader.secret(.whatsAppVerifyToken).bytes == [])
        #expect(reader.integer(.forwardConcurrency, in: 1...1_000) == 8)
        reader.problem(.queuePath, value: "a\nb", expected: "a path")
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(
            error?.description == """
                configuration: FORWARD_TIMEOUT="soon": expected a duration from 1s to 10m, \
                written like 500ms or 10s
                configuration: INGEST_LISTEN="80a": expected ADDRESS:PORT, 127.0.0.1:8080 or \
                [::1]:8080 say
                configuration: WHATSAPP_APP_SECRET is required: \
                \(ConfigurationKey.whatsAppAppSecret.help)
                configuration: WHATSAPP_VERIFY_TOKEN is required: \
                \(ConfigurationKey.whatsAppVerifyToken.help)
                configuration: QUEUE_PATH="a\\nb": expected a path
                """)
        #expect(error?.problems.count == 5)
    }

    @Test func `what holds can be said without a secret`() throws {
        var reader = try Self.reader([
            "FORWARD_TIMEOUT": "7s", "WHATSAPP_APP_SECRET": "hush", "QUEUE_PATH": "/a/b",
            "FORWARD_URL": "https://user:pass@php.example/in?a=b@c",
        ])
        _ = reader.duration(.forwardTimeout, in: .seconds(1) ... .seconds(600))
        _ = reader.secretList(.whatsAppAppSecret)
        _ = reader.string(.queuePath)
        _ = reader.string(.queuePath)
        _ = reader.string(.forwardURL)
        _ = reader.integer(.forwardConcurrency, in: 1...1_000)
        #expect(
            reader.effective.map { "\($0.key)=\($0.value)" } == [
                "FORWARD_TIMEOUT=7s", "WHATSAPP_APP_SECRET=<secret>", "QUEUE_PATH=/a/b",
                "FORWARD_URL=https://<secret>@php.example/in?a=b@c", "FORWARD_CONCURRENCY=8",
            ])
    }

    @Test func `without a problem nothing is thrown, and a key read twice is reported once`() throws
    {
        var reader = try Self.reader([:])
        #expect(reader.string(.queuePath) == "var/queue.db")
        #expect(throws: Never.self) { try reader.finish() }
        _ = reader.string(.forwardURL)
        _ = reader.string(.forwardURL)
        #expect(reader.problems.count == 1)
    }

    @Test func `the environment wins over the file, the file over the default`() throws {
        var (reader, _) = try Self.reader(
            file: "LAKE_URL=file:a\nLAKE_COMPRESSION=none\n", environment: ["LAKE_URL": "file:b"])
        #expect(reader.string(.lakeURL) == "file:b")
        #expect(reader.string(.lakeCompression) == "none")
        #expect(reader.string(.ingestPath) == "/webhook")
        #expect(reader.problems == [])
    }

    @Test func `problems of the file stand beside those of values`() throws {
        var (reader, path) = try Self.reader(
            file: """
                INGEST_LISTN=127.0.0.1:80
                FORWAD_URL=http://127.0.0.1/
                PATH=/bin
                AWS_MAX_ATTEMPTS=3
                AWS_REGON=x
                FORWARD_SOMETHING_ELSE=1
                no assignment
                FORWARD_RATE_MAX=many
                """)
        _ = reader.integer(.forwardRateMax, in: 0...1_000_000)
        let noKey = "is no key that this program knows"
        #expect(
            reader.problems.map(\.description) == [
                "\(path):1: INGEST_LISTN \(noKey), did you mean INGEST_LISTEN?",
                "\(path):2: FORWAD_URL \(noKey), did you mean FORWARD_URL?",
                "\(path):6: FORWARD_SOMETHING_ELSE \(noKey)",
                "\(path):7: expected KEY=VALUE",
                "FORWARD_RATE_MAX=\"many\": expected a whole number, 0 to 1000000",
            ])
    }

    @Test func `a file that cannot be read is named`() {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationSource.load(file: "/nonexistent.env", environment: [:])
        }
        #expect(error?.description.contains("open /nonexistent.env: No such file") == true)
    }

    @Test func `a file beyond its limit is refused, one at it is read`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("pipeline.env")
        let comment = [UInt8](repeating: 0x23, count: ConfigurationSource.fileBytesMax)
        try DurableFile.write(comment, to: path)
        #expect(try ConfigurationSource.load(file: path, environment: [:]).problems == [])
        try DurableFile.write(comment + [0x23], to: path)
        #expect(throws: ConfigurationError.self) {
            try ConfigurationSource.load(file: path, environment: [:])
        }
    }

    @Test func `every key stands in the list once and is read as its default`() throws {
        let names = ConfigurationKey.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(try names.count == Self.declarationCount())
        for key in ConfigurationKey.all {
            var reader = try Self.reader([:])
            #expect(reader.optionalString(key) ?? "" == key.defaultText ?? "")
            #expect(!key.help.isEmpty && !key.help.contains("\n"))
        }
    }

    /// How many keys the sources declare; one missing from the list would count as a typo.
    private static func declarationCount() throws -> Int {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Sources/Base")
        let folder = root.appendingPathComponent("Configuration").standardizedFileURL
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).map { name in
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            return text.components(separatedBy: "= ConfigurationKey(").count - 1
        }.reduce(0, +)
    }

    @Test func `the defaults of the design are in the form that their getters read`() throws {
        var reader = try Self.reader([:])
        let years = Duration.seconds(0) ... .seconds(86_400 * 365)
        #expect(reader.duration(.gateWaitMax, in: years) == .seconds(2))
        #expect(reader.duration(.dedupWindow, in: years) == .seconds(8 * 86_400))
        #expect(reader.duration(.retainDelivered, in: years) == .seconds(7 * 86_400))
        #expect(reader.duration(.forwardBackoffMax, in: years) == .seconds(600))
        #expect(reader.duration(.lakeBackoffMax, in: years) == .seconds(300))
        #expect(reader.byteCount(.ingestBodyBytesMax, in: 1 ... .max) == 4 << 20)
        #expect(reader.byteCount(.queueBytesMax, in: 0 ... .max) == 0)
        #expect(reader.byteCount(.diskFreeBytesMin, in: 0 ... .max) == 256 << 20)
        #expect(reader.byteCount(.walBytesMax, in: 0 ... .max) == 16 << 20)
        #expect(reader.integer(.ingestConnectionsMax, in: 1 ... .max) == 12_000)
        #expect(reader.list(.ingestTrustedProxies) == ["127.0.0.0/8", "::1"])
        #expect(reader.list(.forwardStatuses) == [])
        #expect(reader.listenAddress(.workersAdminListen).description == "127.0.0.1:9081")
        #expect(reader.choice(.logLevel, as: Log.Level.self) == .info)
        #expect(reader.choice(.logFormat, as: Log.Format.self) == .auto)
        #expect(reader.problems == [])
    }

    @Test(arguments: [
        ("0", 1...10), ("1", 1...10), ("10", 1...10), ("11", 1...10), ("+5", 1...10),
        ("-5", -10...10), (" 5", 1...10), ("5 ", 1...10), ("", 1...10), ("0x5", 1...10),
        ("٥", 1...10), ("9223372036854775807", 1 ... .max), ("9223372036854775808", 1 ... .max),
        ("18446744073709551617", 1 ... .max), ("007", 1...10),
    ])
    func `whole numbers, on both sides of their limits`(text: String, range: ClosedRange<Int>)
        throws
    {
        let accepted = ["1": 1, "10": 10, "9223372036854775807": Int.max, "007": 7]
        var reader = try Self.reader(["FORWARD_CONCURRENCY": text])
        let number = reader.integer(.forwardConcurrency, in: range)
        #expect(number == accepted[text] ?? range.lowerBound)
        #expect(reader.problems.isEmpty == (accepted[text] != nil))
    }

    @Test(
        arguments: [
            ("999ms", nil), ("1000ms", 1_000), ("1s", 1_000), ("90s", 90_000), ("5m", 300_000),
            ("24h", 86_400_000), ("7d", 604_800_000), ("8d", nil), ("5", nil), ("5 s", nil),
            ("s", nil), ("1.5s", nil), ("+5s", nil), ("5S", nil), ("5sec", nil), ("1h30m", nil),
            ("9223372036854775807d", nil), ("", nil), ("604800001ms", nil),
        ] as [(String, Int64?)])
    func `durations, on both sides of their limits`(text: String, milliseconds: Int64?) throws {
        var reader = try Self.reader(["FORWARD_AGE_MAX": text])
        let range = Duration.seconds(1) ... .seconds(604_800)
        let duration = reader.duration(.forwardAgeMax, in: range)
        #expect(duration == milliseconds.map { .milliseconds($0) } ?? .seconds(1))
        #expect(reader.problems.isEmpty == (milliseconds != nil))
        #expect(reader.problems.allSatisfy { $0.description.contains("from 1s to 7d") })
    }

    @Test(
        arguments: [
            ("1023", nil), ("1024", 1_024), ("1KiB", 1_024), ("64KiB", 65_536), ("4MiB", 4 << 20),
            ("2GiB", 2 << 30), ("1TiB", 1 << 40), ("1025GiB", nil), ("4MB", nil), ("4M", nil),
            ("4 MiB", nil), ("-4MiB", nil), ("1.5MiB", nil), ("MiB", nil), ("8388608TiB", nil),
            ("", nil),
        ] as [(String, Int?)])
    func `sizes, on both sides of their limits`(text: String, byteCount: Int?) throws {
        var reader = try Self.reader(["QUEUE_BYTES_MAX": text])
        #expect(reader.byteCount(.queueBytesMax, in: 1_024...(1 << 40)) == byteCount ?? 1_024)
        #expect(reader.problems.isEmpty == (byteCount != nil))
        #expect(reader.problems.allSatisfy { $0.description.contains("from 1KiB to 1TiB") })
    }

    @Test func `a choice and its words`() throws {
        var reader = try Self.reader(["LOG_LEVEL": "Info", "LOG_FORMAT": "json"])
        #expect(reader.choice(.logLevel, as: Log.Level.self) == .debug)
        #expect(reader.choice(.logFormat, as: Log.Format.self) == .json)
        #expect(
            reader.problems.map(\.description) == [
                "LOG_LEVEL=\"Info\": expected one of debug, info, notice, warning, error"
            ])
    }

    @Test func `lists leave white space out and refuse gaps`() throws {
        var reader = try Self.reader([
            "INGEST_TRUSTED_PROXIES": "", "FORWARD_STATUSES": " failed ,\tread ",
            "LAKE_URL": "a,,b", "QUEUE_PATH": "",
        ])
        #expect(reader.list(.ingestTrustedProxies) == [])
        #expect(reader.list(.forwardStatuses) == ["failed", "read"])
        #expect(reader.problems == [])
        #expect(reader.list(.lakeURL) == [])
        #expect(reader.string(.queuePath) == "")
        #expect(reader.problems.count == 2)
    }
}
