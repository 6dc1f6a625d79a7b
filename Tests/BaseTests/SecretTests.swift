import Foundation
import TestSupport
import Testing

@testable import Base

@Suite struct SecretTests {
    private static func reader(_ environment: [String: String]) throws -> ConfigurationReader {
        ConfigurationReader(try .load(file: nil, environment: environment))
    }

    @Test func `a secret is never printed, nor dumped`() {
        let secret = Secret(bytes: Array("s3cret".utf8))
        var dumped = ""
        dump([secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", dumped] {
            #expect(!text.contains("s3cret"))
            #expect(!text.contains("115"))
        }
    }

    @Test func `a secret never stands in a problem`() throws {
        var reader = try Self.reader([
            "WHATSAPP_APP_SECRET": "s3cret,,other", "FORWARD_HEADERS": "s3cret",
            "FORWARD_URL": "https://user:s3cret@example.test/", "LAKE_URL": "s3://a@b:s3cret@host",
        ])
        #expect(reader.secretList(.whatsAppAppSecret) == [])
        reader.problem(.forwardHeaders, value: "s3cret", expected: "Name: value")
        reader.problem(.forwardURL, value: reader.string(.forwardURL), expected: "a URL")
        reader.problem(.lakeURL, value: reader.string(.lakeURL), expected: "a URL")
        #expect(
            reader.problems.map(\.description) == [
                "WHATSAPP_APP_SECRET=<secret>: expected values with commas between them",
                "FORWARD_HEADERS=<secret>: expected Name: value",
                "FORWARD_URL=\"https://***@example.test/\": expected a URL",
                "LAKE_URL=\"s3://***@host\": expected a URL",
            ])
    }

    @Test func `several secrets, and optional ones`() throws {
        var reader = try Self.reader([
            "WHATSAPP_APP_SECRET": "one, two", "AWS_SECRET_ACCESS_KEY": "x/+=",
        ])
        let secrets = reader.secretList(.whatsAppAppSecret)
        #expect(secrets.map(\.bytes) == [Array("one".utf8), Array("two".utf8)])
        #expect(reader.optionalSecret(.awsSecretAccessKey)?.bytes == Array("x/+=".utf8))
        #expect(reader.optionalSecret(.awsSessionToken) == nil)
        #expect(reader.problems == [])
    }

    @Test(arguments: [
        ("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"), (" s3cret", " s3cret"),
    ])
    func `a secret may stand in a file`(content: String, secret: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("token")
        try DurableFile.write(Array(content.utf8), to: path)
        var reader = try Self.reader([
            "WHATSAPP_VERIFY_TOKEN_FILE": path, "WHATSAPP_VERIFY_TOKEN": "",
        ])
        #expect(reader.secret(.whatsAppVerifyToken).bytes == Array(secret.utf8))
        #expect(reader.problems == [])
    }

    @Test func `the environment's file wins over the configuration file's secret`() throws {
        let directory = try TemporaryDirectory()
        let (token, file) = (directory.file("token"), directory.file("pipeline.env"))
        try DurableFile.write(Array("from the environment".utf8), to: token)
        try DurableFile.write(Array("WHATSAPP_VERIFY_TOKEN=from the file\n".utf8), to: file)
        var reader = ConfigurationReader(
            try .load(file: file, environment: ["WHATSAPP_VERIFY_TOKEN_FILE": token]))
        #expect(reader.secret(.whatsAppVerifyToken).bytes == Array("from the environment".utf8))
        #expect(reader.problems == [])
    }

    @Test func `both forms at once, an unreadable and an empty file are problems`() throws {
        let directory = try TemporaryDirectory()
        let empty = directory.file("empty")
        try DurableFile.write(Array("\n".utf8), to: empty)
        var reader = try Self.reader([
            "WHATSAPP_APP_SECRET": "s3cret", "WHATSAPP_APP_SECRET_FILE": empty,
            "WHATSAPP_VERIFY_TOKEN_FILE": "/nonexistent/token", "FORWARD_HEADERS_FILE": empty,
        ])
        _ = reader.secretList(.whatsAppAppSecret)
        _ = reader.secret(.whatsAppVerifyToken)
        _ = reader.optionalSecret(.forwardHeaders)
        #expect(
            reader.problems.map(\.description) == [
                "WHATSAPP_APP_SECRET and WHATSAPP_APP_SECRET_FILE are given, expected one",
                "WHATSAPP_VERIFY_TOKEN_FILE cannot be read: open /nonexistent/token: "
                    + "No such file or directory",
                "FORWARD_HEADERS_FILE: \(empty) is empty or not UTF-8 text",
            ])
    }

    @Test func `a secret's file has a limit`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("token")
        for extraCount in [0, 1] {
            let byteCount = ConfigurationSource.secretBytesMax + extraCount
            try DurableFile.write([UInt8](repeating: 0x61, count: byteCount), to: path)
            var reader = try Self.reader(["WHATSAPP_VERIFY_TOKEN_FILE": path])
            let secret = reader.secret(.whatsAppVerifyToken)
            #expect(secret.bytes.count == (extraCount == 0 ? byteCount : 0))
            #expect(reader.problems.count == extraCount)
        }
    }
}

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:65535", "[::1]:65535"), ("localhost:80", "127.0.0.1:80"), ("[::]:1", "[::]:1"),
            ("127.0.0.1:65536", nil), ("127.0.0.1:", nil), ("127.0.0.1", nil), (":8080", nil),
            ("8080", nil), ("80a", nil), ("127.0.0.1:80a", nil), ("127.0.0.1:+80", nil),
            ("::1:8080", nil), ("[127.0.0.1]:80", nil), ("example.test:80", nil), ("[::1]", nil),
            ("127.0.0.1:-1", nil), ("127.1:80", nil), ("", nil), ("[]:80", nil),
        ] as [(String, String?)])
    func `addresses and ports`(text: String, expected: String?) {
        #expect(ListenAddress(text)?.description == expected)
    }
}
